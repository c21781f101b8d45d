"""A model as the study runs it: its steps in order, then its estimator."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from isthmus.table.memory import Memory, Rows, extend_key

__all__ = ["Pipeline", "split_setting"]

Array = NDArray[np.float64]


class Pipeline:
    """Steps (`Step`) and, at the end, an estimator (`Estimator`), fitted together on training rows.

    Parameters
    ----------
    steps : sequence of (name, object)
        The last is ("estimator", the estimator). Fitting puts fitted ones in their place; use `fresh` for another fit.
    """

    def __init__(self, steps: Sequence[tuple[str, Any]]) -> None:
        self.steps = list(steps)
        self._key: bytes | None = None

    def __getitem__(self, name: str) -> Any:
        return dict(self.steps)[name]

    @property
    def estimator(self) -> Any:
        return self.steps[-1][1]

    @property
    def chain(self) -> list[tuple[str, Any]]:
        """The steps before the estimator."""
        return self.steps[:-1]

    # -- unfitted copies ----------------------------------------------------------------------------------------------

    def fresh(self) -> Pipeline:
        """The same model, not fitted."""
        return Pipeline([(name, clone(part)) for name, part in self.steps])

    def __sklearn_clone__(self) -> Pipeline:
        return self.fresh()

    def with_settings(self, settings: Mapping[str, Any]) -> Pipeline:
        """The same model with other settings, not fitted: `"C"` of the estimator, `"univariate.k"` of a step."""
        made = self.fresh()
        for key, value in settings.items():
            owner, setting = split_setting(key)
            made[owner].set_params(**{setting: value})
        return made

    # -- fitting ------------------------------------------------------------------------------------------------------

    def fit(self, X: pd.DataFrame, y: Any, groups: Any = None) -> Self:
        """Learn from rows X with the classes y; `groups` is the patient of each row (default: each its own)."""
        patients = np.arange(len(X)) if groups is None else np.asarray(groups)
        return self.fit_rows(Rows(X, np.asarray(y, dtype=np.int64), patients))

    def fit_rows(self, rows: Rows, memory: Memory | None = None) -> Self:
        """Learn from rows; steps a memory has seen on these rows are taken from it."""
        after = self.fit_steps(rows, memory)
        estimator = self.estimator
        if estimator.needs_groups:
            estimator.fit(after.X, after.events, groups=after.patients)
        else:
            estimator.fit(after.X, after.events)
        return self

    def fit_steps(self, rows: Rows, memory: Memory | None = None) -> Rows:
        """Fit the steps but not the estimator; gives the rows as the estimator is to see them."""
        for position, (name, step) in enumerate(self.chain):
            fitted, rows = _fit_step(step, rows, memory)
            self.steps[position] = (name, fitted)
        self._key = rows.key
        return rows

    # -- applying -----------------------------------------------------------------------------------------------------

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns as the estimator sees them."""
        for _, step in self.chain:
            X = step.transform(X)
        return X

    def transform_rows(self, rows: Rows, memory: Memory | None = None) -> pd.DataFrame:
        """The same for rows that a memory may have seen with these fitted steps."""
        if memory is None or rows.key is None or self._key is None:
            return self.transform(rows.X)
        key = extend_key(b"transform", self._key, rows.key)
        frame: pd.DataFrame = memory.recall(key, lambda: self.transform(rows.X), _size)
        return frame

    def predict_proba(self, X: pd.DataFrame) -> Array:
        """Probability of each class, shape (n, classes)."""
        return self._probability(self.transform(X))

    def predict_rows(self, rows: Rows, memory: Memory | None = None) -> Array:
        """The same for rows that a memory may have seen."""
        return self._probability(self.transform_rows(rows, memory))

    def _probability(self, frame: pd.DataFrame) -> Array:
        return np.asarray(self.estimator.predict_proba(frame), dtype=np.float64)


def split_setting(key: str) -> tuple[str, str]:
    """`"C"` -> ("estimator", "C"); `"univariate.k"` -> ("univariate", "k")."""
    owner, _, setting = key.rpartition(".")
    return (owner or "estimator"), setting


def _fit_step(step: Any, rows: Rows, memory: Memory | None) -> tuple[Any, Rows]:
    """The fitted step and the rows after it."""
    key = None
    if memory is not None and rows.key is not None:
        seen = rows.outcome_key if step.kind == "supervised" or step.needs_groups else b""
        settings = pickle.dumps((step.name, sorted(step.get_params(deep=False).items())))
        key = extend_key(b"fit", rows.key, settings, seen)

    def fit() -> tuple[Any, pd.DataFrame]:
        groups = {"groups": rows.patients} if step.needs_groups else {}
        step.fit(rows.X, rows.events, **groups)
        return step, step.transform(rows.X)

    if memory is None or key is None:
        fitted, frame = fit()
    else:
        fitted, frame = memory.recall(key, fit, lambda made: _size(made[1]))
    return fitted, Rows(frame, rows.events, rows.patients, key)


def _size(frame: pd.DataFrame) -> int:
    return int(frame.shape[0] * frame.shape[1] * 8)
