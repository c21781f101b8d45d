"""One fold of nested cross-validation: everything that is learned is learned from the training rows alone.

`_develop` is handed the training rows and nothing else, so no step, no tuning and no threshold can see a test row:
the leak is not caught, it is impossible. `evaluate_fold` then shows the fitted pipeline the test rows once;
`fit_final` runs the same `_develop` on all development rows.

Inside the training rows, one inner cross-validation (grouped by patient, stratified) serves three purposes: tuning,
the LASSO penalty and the out-of-fold predictions on which the threshold is chosen. All steps are fitted anew in each
inner fold.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from isthmus.errors import IsthmusWarning, LeakageError, TableError
from isthmus.stats.roc import auc
from isthmus.stats.seeds import child_seed
from isthmus.stats.threshold import choose_threshold
from isthmus.table.outcome import Outcome
from isthmus.table.steps import deal_folds, text_columns, without_context
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import Split

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from isthmus.models.settings import ModelSettings

__all__ = ["Build", "Design", "FittedModel", "FoldResult", "evaluate_fold", "fit_final"]

Array = NDArray[np.float64]


class Build(Protocol):
    """Makes the unfitted pipeline of a model: `models.build` with its registry of steps filled in.

    This room does not import its siblings; the study hands it in, as
    `functools.partial(models.build, steps={**models.STEPS, **select.STEPS})`.
    """

    def __call__(self, spec: ModelSettings, columns: pd.DataFrame, *, seed: int) -> Pipeline: ...


@dataclass(frozen=True, eq=False)
class Design:
    """The predictors of a model and the outcome they are to predict.

    Parameters
    ----------
    X : DataFrame
        Predictors, one row an observation; several rows of one patient are allowed. Kept in order of patient, then
        of content.
    patients : Series or array, one per row of X
    outcome : Outcome
        Of each patient; it may hold more patients than X.
    """

    X: pd.DataFrame
    patients: Any
    outcome: Outcome

    def __post_init__(self) -> None:
        who = np.asarray(self.patients).astype(str).astype(object)
        object.__setattr__(self, "patients", who)
        if len(who) != len(self.X):
            raise TableError(f"design: {len(self.X)} rows of predictors but {len(who)} patients")
        if not len(without_context(self.X).columns):
            raise TableError("design: no predictors; give the model a block with columns")
        if not self.X.columns.is_unique:
            twice = list(dict.fromkeys(map(str, self.X.columns[self.X.columns.duplicated()])))
            raise TableError(f"design: columns occur twice: {', '.join(twice[:5])}")
        if self.outcome.name in self.X.columns:
            raise LeakageError(f"the outcome '{self.outcome.name}' is among the predictors (rule L10). Take it out.")
        unknown = sorted(set(who) - set(map(str, self.outcome.patients)))
        if unknown:
            raise TableError(f"design: no outcome for {len(unknown)} patient(s): {', '.join(unknown[:5])}")
        self._check_finite()
        self._put_in_order()

    def _put_in_order(self) -> None:
        """Rows by patient, then by content: sums and random draws must not depend on the order of a spreadsheet."""
        who = self.patients
        keys = [who.astype(str)]
        if len(np.unique(keys[0])) < len(who):
            keys.insert(0, pd.util.hash_pandas_object(self.X, index=False).to_numpy())
        order = np.lexsort(keys)
        # a copy: a table read from a file is one block of memory per column, and every step would walk over a thousand;
        # names as plain objects: every step lists them, which is slow for Arrow strings
        X = self.X.iloc[order].copy()
        X.columns = pd.Index(list(X.columns), dtype=object)
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "patients", who[order])

    def _check_finite(self) -> None:
        text = set(text_columns(self.X))
        numeric = [column for column in self.X.columns if column not in text]
        infinite = np.isinf(self.X[numeric].to_numpy(dtype=np.float64, na_value=np.nan)).any(axis=0)
        if infinite.any():
            names = [str(name) for name, bad in zip(numeric, infinite, strict=True) if bad]
            raise TableError(
                f"design: infinite values in {len(names)} column(s): {', '.join(names[:5])}. "
                "Make them missing or leave the column out."
            )

    def events(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The outcome of the patient of each of these rows."""
        values = self.outcome.values.set_axis([str(patient) for patient in self.outcome.patients])
        return values.loc[self.patients[rows]].to_numpy(dtype=np.int64)


@dataclass(frozen=True)
class FoldResult:
    """What one fold gave.

    Parameters
    ----------
    repeat, fold : int
    patients, outcome, probability : tuples
        The test patients, in the order of the split; the probability is the mean over a patient's rows.
    threshold : float
        Chosen on inner out-of-fold predictions of the training patients.
    selected : dict
        Feature -> coefficient or importance, of those that play a part.
    weight_kind : {"coefficient", "importance"}
        Coefficients are on the scale on which the estimator saw the column (after the step 'scale': per sd).
    tuned : dict
        Setting -> the value that was chosen.
    trials : tuple of dict
        Every combination tried, with its inner score: {"settings": ..., "score": ..., "measure": ...}.
    dropped : dict
        Column -> step and reason.
    warnings : tuple of str
    """

    repeat: int
    fold: int
    patients: tuple[str, ...]
    outcome: tuple[int, ...]
    probability: tuple[float, ...]
    threshold: float
    selected: Mapping[str, float]
    weight_kind: str
    tuned: Mapping[str, Any] = field(default_factory=dict)
    trials: tuple[Mapping[str, Any], ...] = ()
    dropped: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def auc(self) -> float:
        """AUC of the test patients of this fold."""
        return auc(self.outcome, self.probability)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `from_json` gives back an equal result, floats to the last bit."""
        return {
            "repeat": self.repeat,
            "fold": self.fold,
            "patients": list(self.patients),
            "outcome": list(self.outcome),
            "probability": list(self.probability),
            "threshold": self.threshold,
            "selected": dict(self.selected),
            "weight_kind": self.weight_kind,
            "tuned": dict(self.tuned),
            "trials": [dict(trial) for trial in self.trials],
            "dropped": dict(self.dropped),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FoldResult:
        """The result again, from what `to_json` gave (and a JSON file kept)."""
        lists = ("patients", "outcome", "probability", "trials", "warnings")
        return cls(**{**value, **{key: tuple(value[key]) for key in lists}})


@dataclass(frozen=True, eq=False)
class FittedModel:
    """The whole procedure, fitted on all development rows; what cross-validation estimated is the procedure that made
    it."""

    pipeline: Pipeline
    threshold: float
    selected: Mapping[str, float]
    weight_kind: str
    tuned: Mapping[str, Any]
    trials: tuple[Mapping[str, Any], ...]
    dropped: Mapping[str, str]
    warnings: tuple[str, ...]
    n_patients: int
    n_events: int

    def predict(self, X: pd.DataFrame, patients: Any) -> pd.Series[Any]:
        """Probability of each patient (index), the mean over his rows."""
        with threadpool_limits(1):
            return _per_patient(np.asarray(patients).astype(str).astype(object), _risk(self.pipeline, X))


def evaluate_fold(
    spec: ModelSettings, design: Design, split: Split, *, build: Build, settings: ValidateSettings, seed: int
) -> FoldResult:
    """Learn from the training patients of a split and predict its test patients.

    Parameters
    ----------
    spec : ModelSettings
    design : Design
        May hold more patients than the split names; the others play no part.
    split : Split
    build : Build
        `models.build` with its steps filled in.
    settings : ValidateSettings
        `inner_folds`, and `threshold` unless the model has its own.
    seed : int
        Of this model in this fold.

    Raises
    ------
    TableError
        A patient of the split has no row, or a class has fewer than two training patients.
    """
    train = _rows_of(design, split.train)
    test = _rows_of(design, split.test)
    with threadpool_limits(1):
        learned = _develop(spec, design.X[train], design.patients[train], design.events(train), build, settings, seed)
        with _collected(learned.warnings):
            risk = _per_patient(design.patients[test], _risk(learned.pipeline, design.X[test])).loc[list(split.test)]
    outcome = design.outcome.values.set_axis([str(patient) for patient in design.outcome.patients]).loc[
        list(split.test)
    ]
    return FoldResult(
        repeat=split.repeat,
        fold=split.fold,
        patients=split.test,
        outcome=tuple(int(value) for value in outcome),
        probability=tuple(float(value) for value in risk),
        threshold=learned.threshold,
        selected=_selected(learned.pipeline),
        weight_kind=learned.pipeline.steps[-1][1].contribution,
        tuned=learned.tuned,
        trials=tuple(learned.trials),
        dropped=_dropped(learned.pipeline),
        warnings=tuple(dict.fromkeys(learned.warnings)),
    )


def fit_final(
    spec: ModelSettings, design: Design, *, build: Build, settings: ValidateSettings, seed: int
) -> FittedModel:
    """The same procedure on all rows of the design (the development rows): the model that is applied elsewhere."""
    rows = np.ones(len(design.X), dtype=bool)
    events = design.events(rows)
    with threadpool_limits(1):
        learned = _develop(spec, design.X, design.patients, events, build, settings, seed)
    per_patient = _per_patient(design.patients, events.astype(np.float64))
    return FittedModel(
        pipeline=learned.pipeline,
        threshold=learned.threshold,
        selected=_selected(learned.pipeline),
        weight_kind=learned.pipeline.steps[-1][1].contribution,
        tuned=learned.tuned,
        trials=tuple(learned.trials),
        dropped=_dropped(learned.pipeline),
        warnings=tuple(dict.fromkeys(learned.warnings)),
        n_patients=len(per_patient),
        n_events=int(per_patient.sum()),
    )


@dataclass
class _Learned:
    """What the training rows gave."""

    pipeline: Any
    threshold: float = float("nan")
    tuned: dict[str, Any] = field(default_factory=dict)
    trials: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Training:
    """The training rows and how they are dealt to inner folds."""

    X: pd.DataFrame
    patients: NDArray[Any]
    events: NDArray[np.int64]
    folds: NDArray[np.int64]

    def inner(self) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        for fold in np.unique(self.folds):
            yield self.folds != fold, self.folds == fold


def _develop(
    spec: ModelSettings,
    X: pd.DataFrame,
    patients: NDArray[Any],
    events: NDArray[np.int64],
    build: Build,
    settings: ValidateSettings,
    seed: int,
) -> _Learned:
    """Tune, choose the threshold and fit: on these rows, which are the training rows and no others."""
    X = X.reset_index(drop=True)
    plain = build(spec, X, seed=seed)
    learned = _Learned(plain)
    rule = settings.threshold if spec.threshold is None else spec.threshold
    fixed = isinstance(rule, int | float)
    with _collected(learned.warnings):
        folds = deal_folds(patients, events, folds=settings.inner_folds, seed=child_seed(seed, "inner folds"))
        training = _Training(X, patients, events, folds)
        risks: Array | None = None
        if spec.tuning:
            risks = _tune(spec, training, learned)
        elif _has_path(plain):
            risks = _tune_path(plain, training, learned)
        if risks is None and not fixed and not _out_of_bag_is_honest(plain, patients):
            risks = _inner_risks(learned.pipeline, training)
        fitted = _fit(clone(learned.pipeline), X, events, patients)
        if risks is None and not fixed:
            risks = _out_of_bag(fitted, learned.pipeline, training)
        learned.pipeline = fitted
        concern = fitted.steps[-1][1].concern()
        if concern:
            warnings.warn(concern, IsthmusWarning, stacklevel=2)
        if not _selected(fitted):
            warnings.warn(
                "no column plays a part in the model: every patient gets the same probability",
                IsthmusWarning,
                stacklevel=2,
            )
        if fixed:
            learned.threshold = choose_threshold(events, events.astype(np.float64), rule)
        else:
            assert risks is not None
            mean = _per_patient(patients, risks)
            truth = _per_patient(patients, events.astype(np.float64)).astype(np.int64)
            learned.threshold = float(choose_threshold(truth.to_numpy(), mean.to_numpy(), rule))
    return learned


# -- tuning -----------------------------------------------------------------------------------------------------------


def _tune(spec: ModelSettings, training: _Training, learned: _Learned) -> Array:
    """Try every combination of `tuning` on the same inner folds; the largest mean AUC wins, of equals the first."""
    best, best_risks = -np.inf, np.empty(0)
    keys = list(spec.tuning)
    start = learned.pipeline
    for values in itertools.product(*spec.tuning.values()):
        chosen = dict(zip(keys, values, strict=True))
        candidate = clone(start).set_params(**{_parameter(key): value for key, value in chosen.items()})
        inner = _Learned(candidate)
        risks = _tune_path(candidate, training, inner) if _has_path(candidate) else _inner_risks(candidate, training)
        score = _mean_auc(training, risks)
        learned.trials += [
            *inner.trials,
            {"settings": chosen, "measure": "mean AUC of the inner folds", "score": score},
        ]
        if score > best:
            best, best_risks = score, risks
            learned.pipeline, learned.tuned = inner.pipeline, {**chosen, **inner.tuned}
    return best_risks


def _parameter(key: str) -> str:
    """`"min_leaf"` -> "estimator__min_leaf"; `"anova.k"` -> "anova__k"."""
    owner, _, setting = key.rpartition(".")
    return f"{owner or 'estimator'}__{setting}"


def _mean_auc(training: _Training, risks: Array) -> float:
    scores = []
    for _, held in training.inner():
        mean = _per_patient(training.patients[held], risks[held])
        truth = _per_patient(training.patients[held], training.events[held].astype(np.float64))
        scores.append(auc(truth.to_numpy().astype(np.int64), mean.to_numpy()))
    return float(np.mean(scores))


def _has_path(pipeline: Any) -> bool:
    """Does the estimator choose a penalty along a path, and has the plan left it open?"""
    estimator = pipeline.steps[-1][1]
    return hasattr(estimator, "path_grid") and estimator.penalty is None


def _tune_path(pipeline: Any, training: _Training, learned: _Learned) -> Array:
    """Choose the penalty of a path by inner cross-validation around all steps; gives the out-of-fold risks at that
    penalty."""
    estimator = pipeline.steps[-1][1]
    steps = pipeline[:-1]
    values = _through(clone(steps), training.X, training.events, training.patients)[0]
    grid = estimator.path_grid(values, training.events)
    risks = np.empty((len(training.events), len(grid)))
    for fit, held in training.inner():
        inner, fitted = _through(clone(steps), training.X[fit], training.events[fit], training.patients[fit])
        outside = _values(fitted, training.X[held])
        risks[held] = estimator.path_risks(inner, training.events[fit], outside, grid)
    index, choice = estimator.path_choice(grid, risks, training.events, training.folds)
    learned.pipeline = clone(pipeline).set_params(estimator__penalty=float(grid[index]))
    learned.tuned = {"penalty": float(grid[index])}
    learned.trials = [
        {
            "settings": {"penalty": float(penalty)},
            "measure": f"loss of the inner folds ({estimator.measure})",
            "score": float(score),
        }
        for penalty, score in zip(grid, choice.mean, strict=True)
    ]
    return np.asarray(risks[:, index], dtype=np.float64)


def _through(steps: Any, X: pd.DataFrame, events: NDArray[np.int64], patients: NDArray[Any]) -> tuple[Array, Any]:
    """Fit the steps; the training values after them, and the fitted steps (None where there are none)."""
    if not len(steps.steps):
        return np.ascontiguousarray(without_context(X).to_numpy(dtype=np.float64)), None
    frame = without_context(steps.fit_transform(X, events, **_group_parameters(steps, patients)))
    return np.ascontiguousarray(frame.to_numpy(dtype=np.float64)), steps


def _values(steps: Any, X: pd.DataFrame) -> Array:
    frame = without_context(X if steps is None else steps.transform(X))
    return np.ascontiguousarray(frame.to_numpy(dtype=np.float64))


# -- out-of-fold and out-of-bag risks of the training rows ------------------------------------------------------------


def _inner_risks(pipeline: Any, training: _Training) -> Array:
    """Out-of-fold risk of every training row."""
    risks = np.empty(len(training.events))
    for fit, held in training.inner():
        fitted = _fit(clone(pipeline), training.X[fit], training.events[fit], training.patients[fit])
        risks[held] = _risk(fitted, training.X[held])
    return risks


def _out_of_bag_is_honest(pipeline: Any, patients: NDArray[Any]) -> bool:
    """May a forest's out-of-bag risks stand for inner cross-validation?

    Only if no step before it saw the outcome, and no patient has a second row that could have been in the bag.
    """
    grows_bags = hasattr(pipeline.steps[-1][1], "out_of_bag_risk")
    return (
        grows_bags
        and len(set(patients)) == len(patients)
        and all(step.kind != "supervised" for _, step in pipeline.steps[:-1])
    )


def _out_of_bag(fitted: Any, plain: Any, training: _Training) -> Array:
    risks: Array = fitted.steps[-1][1].out_of_bag_risk()
    return (
        _inner_risks(plain, training) if np.isnan(risks).any() else risks
    )  # NaN: a row was in every bag; only tiny forests


# -- small helpers ----------------------------------------------------------------------------------------------------


def _fit(pipeline: Any, X: pd.DataFrame, events: NDArray[np.int64], patients: NDArray[Any]) -> Any:
    return pipeline.fit(X, events, **_group_parameters(pipeline, patients))


def _group_parameters(pipeline: Any, patients: NDArray[Any]) -> dict[str, Any]:
    """Steps that make folds of their own are told which rows belong together."""
    return {f"{name}__groups": patients for name, step in pipeline.steps if getattr(step, "needs_groups", False)}


def _risk(pipeline: Any, X: pd.DataFrame) -> Array:
    return np.asarray(pipeline.predict_proba(X)[:, 1], dtype=np.float64)


def _per_patient(patients: NDArray[Any], values: Array) -> pd.Series[Any]:
    """Mean over the rows of each patient, in order of first appearance."""
    return pd.Series(values).groupby(patients, sort=False).mean()


def _rows_of(design: Design, patients: tuple[str, ...]) -> NDArray[np.bool_]:
    wanted = set(patients)
    rows = np.fromiter((patient in wanted for patient in design.patients), dtype=bool, count=len(design.patients))
    missing = sorted(wanted - set(design.patients[rows]))
    if missing:
        raise TableError(f"design: no row for {len(missing)} patient(s) of the split: {', '.join(missing[:5])}")
    return rows


def _selected(pipeline: Any) -> dict[str, float]:
    """The features that play a part, heaviest first."""
    estimator = pipeline.steps[-1][1]
    weights = np.asarray(estimator.contributions(), dtype=np.float64)
    found = {
        str(name): float(weight)
        for name, weight in zip(estimator.feature_names_in_, weights, strict=True)
        if weight != 0
    }
    return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))


def _dropped(pipeline: Any) -> dict[str, str]:
    return {
        column: f"{name}: {reason}" for name, step in pipeline.steps[:-1] for column, reason in step.dropped_.items()
    }


@contextmanager
def _collected(messages: list[str]) -> Iterator[None]:
    """Keep what is warned of, instead of printing it from a worker."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            messages += [str(warning.message) for warning in caught]
