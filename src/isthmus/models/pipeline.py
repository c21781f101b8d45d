"""A model as the study runs it: its steps in order, then its estimator."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from isthmus.stats.recalibration import Recalibration, prior_shift
from isthmus.table.members import Members
from isthmus.table.memory import Memory, Rows, content_key, extend_key
from isthmus.table.steps import Maker, Resampler, without_context
from isthmus.table.target import is_time_to_event

__all__ = ["Pipeline", "split_setting"]

Array = NDArray[np.float64]

_LEAVES_UNITS = frozenset({"drop_missing", "log", "winsorise", "impute", "encode"})
"""Steps after which a predictor still has a unit of its own (with `log` the logarithm of one)."""


class Pipeline:
    """Steps (`Step`) and, at the end, an estimator (`Estimator`), fitted together on training rows.

    Parameters
    ----------
    steps : sequence of (name, object)
        The last is ("estimator", the estimator). Fitting puts fitted ones in their place; use `fresh` for another fit.
    class_weight : {"balanced"}, optional
        Every class weighs the same while fitting.

    Attributes
    ----------
    prior : pair of arrays, optional
        Shares of the classes among the training rows, and among what the estimator learned from, where resampling or
        weights made them differ: the probability is carried from these back to those.
    recalibration : Recalibration, optional
        Learned on out-of-fold risks by whoever validates; the last thing that happens to a probability.
    members : Members, optional
        Other models whose risks are columns of the rows before the first step; put in by whoever validates, who fits them.
    """

    def __init__(self, steps: Sequence[tuple[str, Any]], class_weight: str | None = None) -> None:
        self.steps = list(steps)
        self.class_weight = class_weight
        self.prior: tuple[Array, ...] | None = None
        self.recalibration: Recalibration | None = None
        self.members: Members | None = None
        self._key: bytes | None = None
        self._keys: dict[str, bytes] = {}

    def __getitem__(self, name: str) -> Any:
        return dict(self.steps)[name]

    @property
    def estimator(self) -> Any:
        return self.steps[-1][1]

    @property
    def chain(self) -> list[tuple[str, Any]]:
        """The steps before the estimator."""
        return self.steps[:-1]

    @property
    def makers(self) -> list[tuple[str, Maker]]:
        """The steps at the front that make columns of context."""
        return [(name, step) for name, step in self.chain if isinstance(step, Maker)]

    @property
    def weighting(self) -> str | None:
        """The class weights of the plan, or those that a step chose."""
        chosen = [step.class_weight for _, step in self.chain if isinstance(step, Resampler)]
        return self.class_weight or next((weight for weight in chosen if weight is not None), None)

    # -- unfitted copies ----------------------------------------------------------------------------------------------

    def fresh(self) -> Pipeline:
        """The same model, not fitted."""
        return Pipeline([(name, clone(part)) for name, part in self.steps], self.class_weight)

    def __sklearn_clone__(self) -> Pipeline:
        return self.fresh()

    def with_settings(self, settings: Mapping[str, Any]) -> Pipeline:
        """The same model with other settings, not fitted: `"C"` of the estimator, `"univariate.k"` of a step, `"random_forest.trees"`
        of a member of an ensemble."""
        made = self.fresh()
        for key, value in settings.items():
            owner, setting = split_setting(key)
            if owner in dict(made.steps):
                made[owner].set_params(**{setting: value})
            else:
                made.estimator.set_params(**{f"{owner}__{setting}": value})
        return made

    def seed_makers(self, seeds: Callable[[str], int] | None) -> None:
        """Give every step that makes columns of context the seed of its name and block: what such a step makes does not depend on the
        model it stands in, so models that make the same of the same rows do it once."""
        for _, step in self.makers:
            if seeds is not None and "random_state" in step.get_params(deep=False):
                step.set_params(random_state=seeds(step.label))

    def complexity(self) -> tuple[float, ...]:
        """Steps in order, then the estimator; of two settings of one model the smaller is the simpler."""
        return tuple(number for _, part in self.steps for number in part.complexity())

    # -- fitting ------------------------------------------------------------------------------------------------------

    def fit(self, X: pd.DataFrame, y: Any, groups: Any = None) -> Self:
        """Learn from rows X with the outcomes y; `groups` is the patient of each row (default: each its own)."""
        patients = np.arange(len(X)) if groups is None else np.asarray(groups)
        return self.fit_rows(Rows(X, y if is_time_to_event(y) else np.asarray(y, dtype=np.int64), patients))

    def fit_rows(self, rows: Rows, memory: Memory | None = None) -> Self:
        """Learn from rows; steps a memory has seen on these rows are taken from it."""
        after = self.fit_steps(rows, memory)
        told: dict[str, Any] = {"groups": after.patients} if self.estimator.needs_groups else {}
        if self.weighting is not None:
            told["weights"] = _balanced(after.events)
        self.estimator.fit(after.X, after.events, **told)
        return self

    def fit_steps(self, rows: Rows, memory: Memory | None = None) -> Rows:
        """Fit the steps but not the estimator; gives the rows as the estimator is to see them."""
        given = rows
        self._keys = {}
        for position, (name, step) in enumerate(self.chain):
            if isinstance(step, Maker):
                fitted, rows, self._keys[name] = _fit_maker(step, rows, memory)
            else:
                fitted, rows = _fit_step(step, rows, memory)
            self.steps[position] = (name, fitted)
        self._key = rows.key
        self.prior = None
        if self.weighting is not None or any(isinstance(step, Resampler) for _, step in self.chain):
            weights = np.ones(len(rows.events)) if self.weighting is None else _balanced(rows.events)
            self.prior = (_shares(given.events, np.ones(len(given.events))), _shares(rows.events, weights))
        return rows

    # -- applying -----------------------------------------------------------------------------------------------------

    def transform(self, X: pd.DataFrame, *, training: bool = False) -> pd.DataFrame:
        """The columns as the estimator sees them; of its training rows with `training`."""
        X = self.joined(X, training)
        for _, step in self.chain:
            X = step.transform(X)
        return X

    def made(self, X: pd.DataFrame, *, training: bool = False) -> pd.DataFrame:
        """The predictors as the table would hold them: with the risks of other models and the columns that are made of context, before
        every other step. With `training` X are the rows the model was trained on, and their risks are those of models that had not seen
        them."""
        X = self.joined(X, training)
        for _, step in self.makers:
            X = step.transform(X)
        return X

    def in_own_units(self, X: pd.DataFrame, *, training: bool = False) -> pd.DataFrame:
        """The `made` predictors with gaps filled and categories encoded, but not scaled, harmonised or combined; columns that a step of the
        last kind made are not there."""
        X = self.made(X, training=training)
        for _, step in self.rest.chain:
            if step.name in _LEAVES_UNITS:
                known = [
                    column for column in step.feature_names_in_ if column in X.columns
                ]  # others were dropped before
                if len(known) < len(step.feature_names_in_):
                    break
                X = step.transform(X[known])
        return X

    @property
    def rest(self) -> Pipeline:
        """The fitted model from `made` rows on."""
        makers = len(self.makers)
        if not makers and self.members is None:
            return self
        rest = Pipeline(self.steps[makers:], self.class_weight)
        rest.prior, rest.recalibration = self.prior, self.recalibration
        return rest

    def transform_rows(self, rows: Rows, memory: Memory | None = None) -> pd.DataFrame:
        """The same for rows that a memory may have seen with these fitted steps."""
        if memory is None or rows.key is None or self._key is None:
            return self.transform(rows.X)
        key = extend_key(b"transform", self._key, rows.key)
        frame: pd.DataFrame = memory.recall(key, lambda: self._transform(rows.X, memory), _size)
        return frame

    def joined(self, X: pd.DataFrame, training: bool = False) -> pd.DataFrame:
        """The rows as the first step sees them: with the risks of other models."""
        return X if self.members is None else self.members.joined(X, training=training)

    def _transform(self, X: pd.DataFrame, memory: Memory) -> pd.DataFrame:
        X = self.joined(X)
        for name, step in self.chain:
            X = _made_by(step, X, self._keys[name], memory) if name in self._keys else step.transform(X)
        return X

    def predict_proba(self, X: pd.DataFrame) -> Array:
        """Probability of each class, shape (n, classes); of a time to event the risk and the probability of the event by
        the horizon, shape (n, 2)."""
        return self._probability(self.transform(X))

    def predict_rows(self, rows: Rows, memory: Memory | None = None) -> Array:
        """The same for rows that a memory may have seen."""
        return self._probability(self.transform_rows(rows, memory))

    def _probability(self, frame: pd.DataFrame) -> Array:
        probability = np.asarray(self.estimator.predict_proba(frame), dtype=np.float64)
        if self.prior is not None:
            probability = prior_shift(probability, *self.prior)
        if self.recalibration is not None:
            risk = self.recalibration.apply(probability[:, 1])
            probability = np.column_stack([1.0 - risk, risk])
        return probability

    @property
    def adjusted(self) -> bool:
        """Is the probability another than the estimator's?"""
        return self.prior is not None or self.recalibration is not None

    def unadjusted_rows(self, rows: Rows, memory: Memory | None = None) -> Array:
        """The probability of each class as the estimator says it."""
        return np.asarray(self.estimator.predict_proba(self.transform_rows(rows, memory)), dtype=np.float64)

    def carried_back(self, risk: Array) -> Array:
        """Risks of the estimator, any shape, at the prevalence of the training rows."""
        if self.prior is None:
            return risk
        flat = risk.ravel()
        return prior_shift(np.column_stack([1.0 - flat, flat]), *self.prior)[:, 1].reshape(risk.shape)


def split_setting(key: str) -> tuple[str, str]:
    """`"C"` -> ("estimator", "C"); `"univariate.k"` -> ("univariate", "k")."""
    owner, _, setting = key.rpartition(".")
    return (owner or "estimator"), setting


def _fit_step(step: Any, rows: Rows, memory: Memory | None) -> tuple[Any, Rows]:
    """The fitted step and the rows after it."""
    key = None
    if memory is not None and rows.key is not None:
        seen = rows.outcome_key if step.kind == "supervised" or step.needs_groups else b""
        settings = pickle.dumps((step.name, step.blocks, sorted(step.get_params(deep=False).items())))
        key = extend_key(b"fit", rows.key, settings, seen)

    def fit() -> tuple[Any, Rows]:
        if isinstance(step, Resampler):
            return step, Rows(*step.resample(rows.X, rows.events, rows.patients), key)
        groups = {"groups": rows.patients} if step.needs_groups else {}
        step.fit(rows.X, rows.events, **groups)
        return step, Rows(step.transform_fitted(rows.X), rows.events, rows.patients, key)

    if memory is None or key is None:
        return fit()
    fitted, after = memory.recall(key, fit, lambda made: _size(made[1].X))
    if not isinstance(step, Resampler):  # the same values, but perhaps of another outcome
        after = Rows(after.X, rows.events, rows.patients, key)
    return fitted, after


def _fit_maker(step: Maker, rows: Rows, memory: Memory | None) -> tuple[Maker, Rows, bytes]:
    """The fitted step, the rows after it, and what stands for the two in the memory: context, settings and, of a
    step that sees them, patients and outcome; not the other columns."""
    read = rows.X[list(step.context)]
    settings = pickle.dumps((step.name, sorted(step.get_params(deep=False).items())))
    groups = {"groups": rows.patients} if step.needs_groups else {}
    seen = rows.outcome_key if step.kind == "supervised" else rows.patients_key if groups else b""
    key = extend_key(b"maker", content_key(read), settings, seen)

    def fit() -> Maker:
        return step.fit(read, rows.events, **groups)

    fitted: Maker = fit() if memory is None else memory.recall(key, fit, lambda made: made.held_bytes)
    fitted = fitted.beside(without_context(rows.X).columns)
    inside = fitted.inside(read)
    after = _made_by(fitted, rows.X, key, memory) if inside is None else fitted.join(rows.X, inside)
    return fitted, Rows(after, rows.events, rows.patients, None if rows.key is None else extend_key(rows.key, key)), key


def _made_by(step: Maker, X: pd.DataFrame, key: bytes, memory: Memory | None) -> pd.DataFrame:
    """The rows with the columns that a fitted step makes; what it made of the same context before is taken from the memory."""
    if memory is None:
        return step.transform(X)
    read = X[list(step.context)]
    made = memory.recall(extend_key(b"made", key, content_key(read)), lambda: step.make(read), _size)
    return step.join(X, made)


def _shares(events: NDArray[np.int64], weights: Array) -> Array:
    """The weighted share of each class."""
    total = np.bincount(events, weights).astype(np.float64)
    shares: Array = total / total.sum()
    return shares


def _balanced(events: NDArray[np.int64]) -> Array:
    """One weight a row, the same total for every class, 1 on average."""
    counts = np.bincount(events)
    present = int((counts > 0).sum())
    weights: Array = len(events) / (present * counts[events])
    return weights


def _size(frame: pd.DataFrame) -> int:
    return int(frame.shape[0] * frame.shape[1] * 8)
