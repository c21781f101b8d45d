"""The contract of steps: what a step may see, where it may run, and how it is stored.

Every step of a model declares one of three kinds:

row-wise
    uses only the patient's own row; may run anywhere, also before the split.
unsupervised
    learns from a set of patients without their outcome (imputation, scaling, a correlation filter); fitted on
    training rows only.
supervised
    learns with the outcome (selection by outcome); fitted on training rows only, and what it chooses counts as tuning.

`check_order` refuses a step in the wrong place. Rules L1 to L13 of the leakage contract hang on it:
docs/explanation/leakage.md.

A step may be told to keep to the columns of some blocks (`Step.on_blocks`): it sees and changes only those whose names
begin with `block.`, and the others pass through it. So one kind of step may occur once for each set of blocks.

Columns whose names begin with `@` are context: what a step must know of a patient besides the predictors (his centre,
his scanner). They travel with the rows; the base class sets them aside, hands a step those it names in `context`, and
nobody else sees them.
"""

from __future__ import annotations

import copy
import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from isthmus.errors import IsthmusWarning, LeakageError, PlanError, TableError, first_few
from isthmus.table.target import is_time_to_event
from isthmus.table.target import strata as outcome_strata

__all__ = [
    "CONTEXT",
    "Maker",
    "Property",
    "Resampler",
    "Selector",
    "Step",
    "StepKind",
    "Where",
    "check_order",
    "context_strata",
    "deal_folds",
    "decode_state",
    "encode_state",
    "is_text",
    "numbers",
    "object_context",
    "split_context",
    "step_labels",
    "text_columns",
    "without_context",
]

CONTEXT = "@"
"""How the names of context columns begin."""

StepKind = Literal["row-wise", "unsupervised", "supervised"]
Where = Literal["fold", "before the split"]
Property = Literal["numeric", "complete", "scaled"]
Array = NDArray[np.float64]


class Step(TransformerMixin, BaseEstimator):
    """One step of a model: a scikit-learn transformer from DataFrame to DataFrame, with named columns.

    A new step derives from this, declares `name` and `kind`, and writes `_fit` and `_transform`. Learned attributes
    end in `_`; those listed in `learned` (besides `dropped_`) are what a model file stores: numbers, text, lists,
    dicts, float64 arrays.

    Attributes
    ----------
    feature_names_in_ : array of str
        Columns seen in `fit`; `transform` wants the same ones in the same order.
    dropped_ : dict
        Column -> why it was left out; nothing is dropped in silence.
    blocks : tuple of str, optional
        The blocks whose columns it keeps to (`on_blocks`); None: all columns.
    """

    name: ClassVar[str]
    kind: ClassVar[StepKind]
    requires: ClassVar[frozenset[Property]] = frozenset()
    """What must be true of the columns before this step."""
    provides: ClassVar[frozenset[Property]] = frozenset()
    """What is true of them after it."""
    tasks: ClassVar[frozenset[str]] = frozenset({"binary"})
    """The outcomes a supervised step can learn with; steps of the other kinds never see one."""
    needs_groups: ClassVar[bool] = False
    """Does `fit` take `groups`, the patient of each row?"""
    learned: ClassVar[tuple[str, ...]] = ()
    sees_columns: ClassVar[bool] = True
    """Does it work on the columns of the rows, so that it may keep to those of some blocks?"""

    blocks: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        """What the step is called in its model; several of one name differ in it (`step_labels`)."""
        return self.name

    def on_blocks(self, blocks: Sequence[str] | None) -> Self:
        """This step, from now on keeping to the columns of these blocks ("ct": the columns `ct.*`); None: all columns."""
        if blocks is not None:
            if isinstance(blocks, str) or not blocks or not all(isinstance(name, str) and name for name in blocks):
                raise PlanError(f"step '{self.label}': blocks = {blocks!r}; expected a list of names of blocks")
            if not self.sees_columns:
                raise PlanError(f"step '{self.label}' does not work on columns, so it takes no blocks")
        self.blocks = None if blocks is None else tuple(dict.fromkeys(blocks))
        return self

    def in_blocks(self, column: Any) -> bool:
        """Is this one of the columns the step keeps to? A column made of several blocks is in them together."""
        if self.blocks is None:
            return True
        return str(column).startswith((*(f"{block}." for block in self.blocks), f"{self._prefix}."))

    @property
    def _prefix(self) -> str:
        return "+".join(self.blocks or ())

    @property
    def own_columns(self) -> list[Any]:
        """Of the columns seen in `fit` those the step works on."""
        return [column for column in self.feature_names_in_ if self.in_blocks(column)]

    def __sklearn_clone__(self) -> Self:
        copied: Self = super().__sklearn_clone__()
        return copied.on_blocks(self.blocks)

    read_: Any
    """The context of the rows `_fit` and `_transform` work on; None outside them."""

    @property
    def context(self) -> tuple[str, ...]:
        """The context columns this step reads with its settings ("@centre" ...); `_fit` and `_transform` find them in
        the attribute `read_`, a DataFrame of the same rows."""
        return ()

    def check_settings(self) -> None:
        """Raise `PlanError` where a setting cannot be used; called when a plan is checked and again in `fit`."""

    def complexity(self) -> tuple[float, ...]:
        """What makes a model with this step more complex, most important first; smaller is simpler (one-SE rule)."""
        return ()

    def learning(self) -> list[dict[str, Any]]:
        """How the step learned in the `fit` it has just had, epoch by epoch, as plain JSON values; most steps learn in one go."""
        return []

    @abstractmethod
    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        """Learn from training rows."""

    @abstractmethod
    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Apply what was learned; each row on its own."""

    def fit(self, X: pd.DataFrame, y: Any = None, groups: Any = None) -> Self:
        """Learn from the training rows X (DataFrame), for a supervised step with their outcome y.

        `groups` names the patient of each row, for steps that make folds of their own.
        """
        frame, _ = self._set_aside(_checked_frame(X, self))
        self.check_settings()
        if self.kind != "supervised":
            y = None  # a step that did not declare itself supervised never sees an outcome
        outcome = None if y is None else np.asarray(y)
        if outcome is not None and not is_time_to_event(outcome):
            outcome = outcome.astype(np.int64)
        if self.kind == "supervised":
            if outcome is None:
                raise TableError(f"step '{self.name}' learns with the outcome: call fit(X, y)")
            if len(outcome) != len(frame):
                raise TableError(f"step '{self.name}': {len(frame)} rows but {len(outcome)} outcomes")
        self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        self.dropped_: dict[str, str] = {}
        own = frame if self.blocks is None else frame[self.own_columns]
        if self.blocks is not None and not len(own.columns):
            raise TableError(
                f"step '{self.name}': none of the {len(frame.columns)} columns is of the blocks {', '.join(self.blocks)}. "
                "Steps before it left none, or the name of a block is another."
            )
        try:
            self._fit(own, outcome, groups)
        finally:
            self.read_ = None
        if len(frame.columns) and not self._all_names_out():
            first = next(iter(self.dropped_.values()))
            raise TableError(
                f"step '{self.name}' would drop all {len(frame.columns)} columns (the first: {first}). "
                "Loosen its setting, or look at the features."
            )
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns after this step; rows and index stay as they are."""
        check_is_fitted(self, "feature_names_in_")
        frame, aside = self._set_aside(_checked_frame(X, self))
        expected = list(self.feature_names_in_)
        if frame.columns.tolist() != expected:
            missing = [column for column in expected if column not in frame.columns]
            extra = [column for column in frame.columns if column not in set(expected)]
            raise TableError(
                f"step '{self.name}' was fitted on {len(expected)} columns and got others: "
                f"missing {first_few(missing) or 'none'}, not known {first_few(extra) or 'none'}"
                + ("" if missing or extra else "; the same columns in another order")
            )
        try:
            out = self._transform(frame) if self.blocks is None else self._among_others(frame)
        finally:
            self.read_ = None
        return out if aside is None else pd.concat([out, aside], axis=1)

    def _among_others(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with the step's own columns as they are after it, the others where they were."""
        own = self._transform(frame[self.own_columns])
        own = own.set_axis([self._named(column) for column in own.columns], axis=1)
        others = frame[[column for column in frame.columns if not self.in_blocks(column)]]
        return pd.concat([others, own], axis=1)[self._all_names_out()]

    def _named(self, column: Any) -> str:
        """A column the step made, with the name of its blocks in front."""
        return str(column) if self.in_blocks(column) else f"{self._prefix}.{column}"

    def _all_names_out(self) -> list[str]:
        """All columns after the step: those that were there before in their order, then those it made."""
        own = [self._named(column) for column in self._names_out()]
        if self.blocks is None:
            return own
        still = set(own)
        kept = [str(column) for column in self.feature_names_in_ if not self.in_blocks(column) or column in still]
        before = set(kept)
        return [*kept, *(column for column in own if column not in before)]

    def transform_fitted(self, X: pd.DataFrame) -> pd.DataFrame:
        """The rows the step was just fitted on, after it; not what `transform` gives where what follows must not learn from that."""
        return self.transform(X)

    def _set_aside(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """The frame without its context columns, and these; what the step reads of them is put into `read_`."""
        features, aside = split_context(frame)
        wanted = list(self.context)
        absent = [name for name in wanted if aside is None or name not in aside.columns]
        if absent:
            raise TableError(
                f"step '{self.name}' reads {first_few(absent)}, and the rows do not say it. A study puts it in by itself; "
                "in Python add the column to the table."
            )
        self.read_ = aside[wanted] if aside is not None and wanted else None
        return features, aside

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the columns after this step."""
        check_is_fitted(self, "feature_names_in_")
        return np.asarray(self._all_names_out(), dtype=object)

    def _names_out(self) -> list[str]:
        """The step's own columns after it."""
        return [column for column in self.own_columns if column not in self.dropped_]

    def to_state(self) -> dict[str, Any]:
        """Everything needed to rebuild the fitted step, as plain JSON values; floats survive to the last bit."""
        check_is_fitted(self, "feature_names_in_")
        settings = self.get_params(deep=False)
        if self.blocks is not None:
            settings["blocks"] = list(self.blocks)
        return {
            "settings": encode_state(settings),
            "columns": [str(column) for column in self.feature_names_in_],
            "dropped": dict(self.dropped_),
            "learned": {name: encode_state(getattr(self, name)) for name in self.learned},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The fitted step again."""
        settings = decode_state(state["settings"])
        blocks = settings.pop("blocks", None)
        step = cls(**settings).on_blocks(blocks)
        step.feature_names_in_ = np.asarray(state["columns"], dtype=object)
        step.n_features_in_ = len(step.feature_names_in_)
        step.dropped_ = dict(state["dropped"])
        for name in cls.learned:
            setattr(step, name, decode_state(state["learned"][name]))
        return step


class Selector(Step):
    """A step that keeps some of the columns, unchanged and in their order; every other one is in `dropped_` with the
    reason."""

    requires = frozenset({"numeric", "complete"})

    @abstractmethod
    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        """Which columns go, and why."""

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        values = numbers(frame, self.name)
        reasons = self._reasons(values, [str(column) for column in frame.columns.tolist()], outcome, groups)
        self.dropped_ = reasons

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[self._names_out()]


class Maker(Step):
    """A step that makes new columns of context (the supervoxels of a patient) and leaves the others as they are.

    What it learns and makes depends on the context (and, where it is supervised, on the outcome) alone, never on the columns beside it:
    models with different predictors share it (`models.pipeline`). It stands before every step of another kind.
    """

    kind: ClassVar[StepKind] = "unsupervised"
    sees_columns = False

    @property
    def held_bytes(self) -> int:
        """What the fitted step takes in memory, where that is much."""
        return 0

    @abstractmethod
    def make(self, read: pd.DataFrame) -> pd.DataFrame:
        """The new columns, from the context of some rows; each row on its own."""

    @abstractmethod
    def made_names(self) -> list[str]:
        """Their names."""

    def inside(self, read: pd.DataFrame) -> pd.DataFrame | None:
        """The new columns of the rows the step was just fitted on, where what follows must not learn from what `make` gives for them."""
        return None

    def beside(self, columns: Sequence[Any]) -> Self:
        """The fitted step for rows that have these columns besides."""
        other = copy.copy(self)
        other.feature_names_in_ = np.asarray(columns, dtype=object)
        other.n_features_in_ = len(other.feature_names_in_)
        return other

    def join(self, X: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
        """The rows with the columns that were made of their context."""
        predictors, aside = split_context(X)
        taken = [name for name in made.columns if name in predictors.columns]
        if taken:
            raise TableError(f"step '{self.label}' makes columns that are there already: {first_few(taken)}")
        parts = [predictors, made.set_axis(predictors.index, axis=0), *([] if aside is None else [aside])]
        return pd.concat(parts, axis=1)

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        return self.join(frame, self.make(self.read_))

    def _names_out(self) -> list[str]:
        return [*map(str, self.feature_names_in_), *self.made_names()]


class Resampler(Step):
    """A step that changes which rows the steps after it and the estimator learn from; while predicting it does nothing.

    The pipeline calls `resample` on training rows and carries the probability back to their prevalence; a model file
    does not hold the step.

    Attributes
    ----------
    counts_ : array
        Training rows of each class, before.
    """

    kind = "supervised"
    learned = ("counts_",)
    sees_columns = False
    invents_rows: ClassVar[bool] = False
    """Are there rows afterwards that belong to no patient?"""

    @property
    def class_weight(self) -> Literal["balanced"] | None:
        """Weights the estimator is to give the classes instead of other rows."""
        return None

    @abstractmethod
    def _resample(
        self, frame: pd.DataFrame, events: NDArray[np.int64], patients: NDArray[Any]
    ) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[Any]]:
        """Other rows, their classes and whose they are."""

    def resample(
        self, X: pd.DataFrame, y: Any, groups: Any = None
    ) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[Any]]:
        """Other rows to learn from, their classes and whose they are; for training rows only."""
        events = np.asarray(y, dtype=np.int64)
        patients = np.arange(len(X)) if groups is None else np.asarray(groups)
        self.fit(X, events)
        frame, classes, owners = self._resample(X, events, patients)
        return frame.reset_index(drop=True), classes, owners

    def _fit(self, frame: pd.DataFrame, outcome: NDArray[np.int64] | None, groups: Any) -> None:
        assert outcome is not None  # the base class sees to it
        self.counts_ = np.bincount(outcome).astype(np.float64)

    def _transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame


def split_context(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The predictors of a frame, and its context columns (None where it has none)."""
    marked = [isinstance(name, str) and name.startswith(CONTEXT) for name in frame.columns.tolist()]
    if not any(marked):
        return frame, None
    mark = np.asarray(marked)
    return frame.loc[:, ~mark], frame.loc[:, mark]


def context_strata(X: Any) -> NDArray[np.str_] | None:
    """The categories of all context of each row in one word, by which folds are dealt; None where there is none. Context that is no text
    (the supervoxels of a patient) is no category."""
    aside = split_context(X)[1] if isinstance(X, pd.DataFrame) else None
    text = text_columns(aside) if aside is not None else []
    names = [name for name in text if aside is not None and any(isinstance(cell, str) for cell in aside[name])]
    if aside is None or not names:
        return None
    return np.asarray(["|".join(map(str, row)) for row in aside[names].itertuples(index=False)])


def object_context(X: pd.DataFrame) -> list[str]:
    """The context columns that hold objects (tables of supervoxels), of which `Maker` steps make predictors."""
    names = [name for name in X.columns.tolist() if isinstance(name, str) and name.startswith(CONTEXT)]
    return [
        name
        for name in names
        if X[name].dtype == object and any(cell is not None and not isinstance(cell, str | float) for cell in X[name])
    ]


def without_context(X: Any) -> Any:
    """The predictors alone; what is no DataFrame is given back as it is."""
    return split_context(X)[0] if isinstance(X, pd.DataFrame) else X


def numbers(frame: pd.DataFrame, who: str) -> Array:
    """The values as float64 (n, p), C order; text or a missing value is an error that names the column."""
    text = text_columns(frame)
    if text:
        raise TableError(
            f"'{who}' needs numbers, but these columns are text: {first_few(text) or 'none'}. Put the step 'encode' before it."
        )
    values = np.ascontiguousarray(frame.to_numpy(dtype=np.float64))
    bad = ~np.isfinite(values).all(axis=0)
    if bad.any():
        names = [str(column) for column, flag in zip(frame.columns, bad, strict=True) if flag]
        raise TableError(
            f"'{who}' needs complete columns; missing or infinite values in {first_few(names) or 'none'}. "
            "Put the step 'impute' before it."
        )
    return values


def is_text(dtype: Any) -> bool:
    """Is a column of this dtype categorical (text) rather than a number?"""
    return not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype))


def text_columns(frame: pd.DataFrame) -> list[str]:
    """The columns that are categorical (text), in order."""
    text = {dtype for dtype in set(frame.dtypes) if is_text(dtype)}
    return (
        [str(column) for column, dtype in zip(frame.columns.tolist(), frame.dtypes, strict=True) if dtype in text]
        if text
        else []
    )


def step_labels(steps: Sequence[Any]) -> list[str]:
    """What each step is called in its model: its label, and behind it the blocks it keeps to where another has the same label ("pca
    deep")."""
    labels = [_label(step) or (step.__name__ if isinstance(step, type) else type(step).__name__) for step in steps]
    blocks = [getattr(step, "blocks", None) for step in steps]
    return [
        f"{label} {'+'.join(of)}" if of and labels.count(label) > 1 else label
        for label, of in zip(labels, blocks, strict=True)
    ]


def check_order(
    steps: Sequence[Any],
    *,
    where: Where = "fold",
    text_columns: Sequence[str] = (),
    blocks: Sequence[str] = (),
    estimator: Any = None,
) -> None:
    """Refuse steps that would see what they must not, or that stand where they cannot work.

    Parameters
    ----------
    steps : sequence of Step (or of their classes)
        In the order in which they run.
    where : {"fold", "before the split"}
        Inside the training rows of a fold every kind may run; before the split only row-wise steps.
    text_columns : sequence of str
        Those that are there at the start.
    blocks : sequence of str
        All blocks there are, where steps keep to some of them.
    estimator : optional
        What stands at the end; its `requires` is checked too.

    Raises
    ------
    LeakageError
        A step declares no kind, or would learn from rows outside the training part.
    PlanError
        A step occurs twice, or lacks a step it needs before it.
    """
    have = _Held(text_columns, blocks)
    seen: set[str] = set()
    invented = ""
    before = ""
    for step, name in zip(steps, step_labels(steps), strict=True):
        kind = getattr(step, "kind", None)
        if kind not in get_args(StepKind):
            raise LeakageError(
                f"step '{name}' declares kind = {kind!r}; expected one of {', '.join(get_args(StepKind))}. "
                "A step that does not say what it learns from is not run."
            )
        if where != "fold" and kind != "row-wise":
            raise LeakageError(
                f"step '{name}' is {kind}: it learns from patients, so it may only run inside the "
                "training part of a fold (rules L1, L2). "
                "Put it into the steps of a model."
            )
        if name in seen:
            raise PlanError(
                f"step '{name}' occurs twice. Each step may occur once, or once for each set of blocks (blocks = [...])."
            )
        seen.add(name)
        if isinstance(step, Maker) and before:
            raise PlanError(f"step '{name}' makes columns that '{before}' before it would not see. Put it first.")
        before = before or ("" if isinstance(step, Maker) else name)
        _check_owners(name, step, invented)
        if getattr(step, "invents_rows", False):
            invented = name
        have.check(name, step)
        have.add(step)
    if estimator is not None:
        if not hasattr(estimator, "path_grid"):  # its folds are made around all steps, of patients
            _check_owners(getattr(estimator, "name", type(estimator).__name__), estimator, invented)
        have.check(getattr(estimator, "name", type(estimator).__name__), estimator)


def deal_folds(
    patients: Any, outcome: Any, *, folds: int, seed: int, reduce: bool = True, strata: Any = None
) -> NDArray[np.int64]:
    """The fold of each row, 0 to folds - 1: stratified by outcome, and the rows of one patient always together (rule
    L4).

    Parameters
    ----------
    patients : array, shape (n,)
        Who each row belongs to. The order of the rows does not matter: patients are sorted by name before they are
        dealt.
    outcome : array, shape (n,)
        The class of each row, the same for all rows of a patient; or a time to event (`table.target`), spread by event.
    folds : int
    seed : int
    reduce : bool
        With fewer patients in the rarest class than folds: use as many folds as it has patients (at least 2) and
        warn, instead of raising.
    strata : array, shape (n,), optional
        What else to spread over the folds within each class (the centre, where a step needs every centre among the
        training rows): two patients of one class and stratum never share a fold if they need not.

    Raises
    ------
    TableError
        The rarest class has too few patients; the message says how many folds are possible.
    """
    names = np.asarray(patients).astype(str)
    unique, first, where = np.unique(names, return_index=True, return_inverse=True)
    timed = is_time_to_event(outcome)
    labels = outcome_strata(np.asarray(outcome))
    classes = labels[first]
    if not np.array_equal(labels[first][where], labels):
        raise TableError("the rows of one patient have different outcomes; an outcome belongs to the patient")
    if timed and int((classes == 0).sum()) < folds:
        classes = np.ones_like(
            classes
        )  # too few censored to spread; the events alone decide how many folds there can be
    counts = np.unique(classes, return_counts=True)[1]
    fewest = int(counts.min()) if not timed else int((labels[first] == 1).sum())
    if len(counts) < 2 and not timed:
        raise TableError(f"all {len(unique)} patients have the same outcome; both classes must occur to make folds")
    if fewest < folds:
        if not reduce or fewest < 2:
            possible = f"at most {fewest} folds are possible" if fewest >= 2 else "no folds are possible"
            raise TableError(f"{folds} folds were asked for, but the rarest class has {fewest} patient(s): {possible}.")
        warnings.warn(
            f"the rarest class has {fewest} training patients, so {fewest} inner folds are used instead of {folds}",
            IsthmusWarning,
            stacklevel=2,
        )
        folds = fewest
    rng = np.random.default_rng(seed)
    dealt = np.empty(len(unique), dtype=np.int64)
    start = 0
    for label in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == label))
        if strata is not None:
            members = members[np.argsort(np.asarray(strata).astype(str)[first][members], kind="stable")]
        dealt[members] = (start + np.arange(len(members))) % folds
        start += len(members)
    return rng.permutation(folds)[dealt][where]


def _check_owners(name: str, step: Any, invented: str) -> None:
    """Folds by patient cannot be made of rows that belong to nobody: their parents would be on both sides."""
    if invented and getattr(step, "needs_groups", False):
        raise PlanError(
            f"'{name}' makes folds of its own, and the rows that '{invented}' invented belong to no patient (rule L3). Put "
            f"'{invented}' after it, or use 'over_sample', 'under_sample' or class_weight = 'balanced'."
        )


def _label(step: Any) -> str | None:
    """What a step is called; a class, or something that is no step, by its name."""
    label = getattr(step, "label", None)
    return label if isinstance(label, str) else getattr(step, "name", None)


_PROVIDERS: dict[Property, str] = {"numeric": "encode", "complete": "impute", "scaled": "scale"}


class _Held:
    """What is true of the columns of all blocks, and of those of each."""

    def __init__(self, text: Sequence[str], blocks: Sequence[str]) -> None:
        elsewhere = [name for name in text if not name.startswith(tuple(f"{block}." for block in blocks))]
        self.everywhere: set[Property] = set() if text else {"numeric"}
        self.of: dict[str, set[Property]] = {
            block: set() if elsewhere or any(name.startswith(f"{block}.") for name in text) else {"numeric"}
            for block in blocks
        }

    def check(self, name: str, step: Any) -> None:
        """A step finds the columns as it needs them."""
        of = getattr(step, "blocks", None) or tuple(self.of)
        for need in sorted(getattr(step, "requires", frozenset())):
            lacking = [block for block in of if need not in self.of.get(block, set())]
            if need not in self.everywhere and (lacking or not of):
                only = f" (of {first_few(lacking)})" if lacking and len(lacking) < len(self.of) else ""
                raise PlanError(f"'{name}' needs {need} columns{only}. Put the step '{_PROVIDERS[need]}' before it.")

    def add(self, step: Any) -> None:
        """What is true after the step."""
        provided = set(getattr(step, "provides", frozenset()))
        if getattr(step, "blocks", None) is None:
            self.everywhere |= provided
        for block in getattr(step, "blocks", None) or ():
            self.of.setdefault(block, set()).update(provided)


def encode_state(value: Any) -> Any:
    """Plain JSON values; float64 arrays as lists with a mark, so that they come back as arrays."""
    if isinstance(value, np.ndarray):
        return {"array": [float(item) for item in value.astype(np.float64).ravel()], "shape": list(value.shape)}
    if isinstance(value, dict):
        return {"dict": [[str(key), encode_state(item)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [encode_state(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a step may keep numbers, text, lists, dicts and arrays; got {type(value).__name__}")


def decode_state(value: Any) -> Any:
    """What `encode_state` was given."""
    if isinstance(value, dict) and "array" in value:
        return np.asarray(value["array"], dtype=np.float64).reshape(value["shape"])
    if isinstance(value, dict) and "dict" in value:
        return {key: decode_state(item) for key, item in value["dict"]}
    if isinstance(value, dict):
        return {key: decode_state(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode_state(item) for item in value]
    return value


def _checked_frame(X: Any, step: Step) -> pd.DataFrame:
    if not isinstance(X, pd.DataFrame):
        raise TypeError(f"step '{step.name}' takes a pandas DataFrame with named columns, not {type(X).__name__}")
    if len(X) == 0:
        raise TableError(f"step '{step.name}' got a table without rows")
    if not X.columns.is_unique:
        twice = list(dict.fromkeys(str(name) for name in X.columns[X.columns.duplicated()]))
        raise TableError(f"step '{step.name}': columns occur twice: {first_few(twice) or 'none'}")
    return X
