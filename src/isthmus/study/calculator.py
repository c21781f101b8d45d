"""A fitted model as arithmetic on single values, for a page that computes it without Python.

A model has it where every column its estimator uses comes from one input by steps that look at one value at a time (imputation, coding,
scaling, capping, logarithm), and the estimator is a weighted sum: logistic regression with or without a penalty, Firth, Cox. What a step
or an estimator does otherwise is no such arithmetic, and the reason says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.errors import TableError
from isthmus.models.cox import Cox, LassoCox
from isthmus.models.encoding import Encode
from isthmus.models.extremes import Log, Winsorise
from isthmus.models.imputation import Impute
from isthmus.models.lasso import LassoLogistic
from isthmus.models.linear import LinearEstimator
from isthmus.models.missingness import DropMissing
from isthmus.models.scaling import Scale
from isthmus.select.reliability import Reliability
from isthmus.stats.calibration import EDGE
from isthmus.stats.survival.kaplan_meier import step_value
from isthmus.study.model import Model
from isthmus.table.steps import Resampler, Selector

__all__ = ["Calculation", "Term", "calculation"]

Operation = tuple[Any, ...]


@dataclass(frozen=True)
class Term:
    """One column of the estimator: its input, what happens to the value on the way, and its weight.

    Operations, in order: ("fill", value), ("missing",) -> 1 or 0, ("is", category) -> 1 or 0, ("clip", low, high), ("log",) -> log(1 + x)
    with the sign of x, ("scale", mean, sd), ("centre", mean).
    """

    input: str
    operations: tuple[Operation, ...]
    weight: float


@dataclass(frozen=True)
class Calculation:
    """The whole model: intercept + the sum of weighted terms, then a link, then what carries the risk to the patients.

    Parameters
    ----------
    task : {"binary", "survival"}
    terms : tuple of Term
        Of weight other than 0.
    intercept : float
    hazard : float
        Survival: cumulative baseline hazard at the horizon.
    prior : tuple, optional
        Binary: shares of the two classes among the patients, and among what the estimator learned from.
    recalibration : mapping, optional
        Binary: as `Recalibration.to_json` gives it.
    edge : float
        How near to 0 or 1 a risk may lie before its logit is taken.
    complete : tuple of str
        Inputs that may not be missing, because imputation would take their value from other columns.
    """

    task: str
    terms: tuple[Term, ...]
    intercept: float
    hazard: float = 0.0
    prior: tuple[tuple[float, ...], ...] | None = None
    recalibration: Mapping[str, Any] | None = None
    edge: float = EDGE
    complete: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[str]:
        """The inputs that play a part, in the order of the terms."""
        return list(dict.fromkeys(term.input for term in self.terms))

    def effect(self, name: str, value: float | str | None) -> float:
        """What one value of one input adds to the sum; None is missing.

        Raises
        ------
        TableError
            The value is missing where it may not be, or a text where a number is expected.
        """
        return sum(term.weight * _value(term, value) for term in self.terms if term.input == name)


def _value(term: Term, value: float | str | None) -> float:
    """A value after the operations of a term."""
    for kind, *facts in term.operations:
        if kind == "fill":
            value = facts[0] if value is None else value
        elif kind in ("missing", "is"):
            value = float(value is None if kind == "missing" else value == facts[0])
        elif value is None:  # a gap that is filled later stays one
            continue
        elif isinstance(value, str):
            raise TableError(f"'{term.input}' = {value!r}; expected a number")
        elif kind == "clip":
            value = min(max(value, facts[0]), facts[1])
        elif kind == "log":
            value = math.copysign(math.log1p(abs(value)), value)
        else:
            value = (value - facts[0]) / (facts[1] if kind == "scale" else 1.0)
    if value is None or isinstance(value, str):
        raise TableError(f"'{term.input}' = {value!r}; expected a number")
    return value


@dataclass(frozen=True)
class _Column:
    """A column on its way through the steps."""

    input: str
    text: bool
    operations: tuple[Operation, ...] = ()

    def then(self, *operation: Any) -> _Column:
        text = self.text and operation[0] == "fill"
        return _Column(self.input, text, (*self.operations, operation))

    @property
    def takes_gaps(self) -> bool:
        return any(operation[0] in ("fill", "missing", "is") for operation in self.operations)


def calculation(model: Model) -> Calculation:
    """The arithmetic of a model.

    Raises
    ------
    TableError
        It is no such arithmetic; the message says which part is not.
    """
    columns = {item["column"]: _Column(item["column"], item["kind"] != "number") for item in model.manifest["inputs"]}
    if model.pipeline.members is not None:
        raise TableError(
            "the model takes the risks of other models, which make values from more than one input of the patient"
        )
    for _, step in model.pipeline.chain:
        columns = _through(step, columns)
    estimator = model.pipeline.estimator
    if isinstance(estimator, Cox | LassoCox):
        intercept, hazard, carried = 0.0, _hazard(estimator, model.horizon), {}
        centres = [float(mean) for mean in estimator.centre_]
    elif isinstance(estimator, LinearEstimator | LassoLogistic):
        intercept, hazard, carried = float(estimator.intercept_), 0.0, _carried(model.pipeline)
        centres = []
    else:
        raise TableError(f"the estimator '{estimator.name}' is no weighted sum of its predictors")
    ends = [columns[str(name)] for name in estimator.feature_names_in_]
    if centres:
        ends = [end.then("centre", mean) for end, mean in zip(ends, centres, strict=True)]
    used = [(end, float(weight)) for end, weight in zip(ends, estimator.contributions(), strict=True) if weight != 0]
    if not used:
        raise TableError("the model uses no predictor, so every patient has the same risk")
    terms = tuple(Term(end.input, end.operations, weight) for end, weight in used)
    needed = tuple(dict.fromkeys(end.input for end, _ in used if not end.takes_gaps))
    return Calculation(model.task, terms, intercept, hazard, complete=needed, **carried)


def _hazard(estimator: Any, horizon: float | None) -> float:
    """Cumulative baseline hazard at the horizon."""
    if horizon is None:
        raise TableError("the plan gives no time by which the event is predicted")
    baseline = estimator.baseline_
    return float(step_value(baseline.time, baseline.cumulative_hazard, np.array([horizon]), start=0.0)[0])


def _carried(pipeline: Any) -> dict[str, Any]:
    """What happens to a probability after the estimator."""
    found: dict[str, Any] = {}
    if pipeline.prior is not None:
        found["prior"] = tuple(tuple(float(share) for share in shares) for shares in pipeline.prior)
    if pipeline.recalibration is not None:
        found["recalibration"] = pipeline.recalibration.to_json()
    return found


def _through(step: Any, columns: Mapping[str, _Column]) -> dict[str, _Column]:
    """The columns after a step."""
    if isinstance(step, Resampler):
        return dict(columns)
    own = {name: column for name, column in columns.items() if step.in_blocks(name)}
    names = [str(name) for name in step.get_feature_names_out()]
    done = _changed(step, own, [name for name in names if step.in_blocks(name)])
    return {name: done[name] if name in done else columns[name] for name in names}


def _changed(step: Any, columns: Mapping[str, _Column], names: list[str]) -> dict[str, _Column]:
    """Of the columns that a step works on, those after it."""
    if isinstance(step, Impute):
        return _imputed(step, columns, names)
    if isinstance(step, Encode):
        return _encoded(step, columns, names)
    if isinstance(step, DropMissing | Reliability | Selector):
        more: dict[str, Operation] = {}
    elif isinstance(step, Scale):
        moves = zip(names, step.mean_, step.sd_, strict=True)
        more = {name: ("scale", float(mean), float(sd)) for name, mean, sd in moves}
    elif isinstance(step, Winsorise):
        more = {name: ("clip", *caps) for name, caps in step.caps_.items()}
    elif isinstance(step, Log):
        chosen = [name for name in names if not columns[name].text] if step.columns is None else step.columns
        more = dict.fromkeys(chosen, ("log",))
    else:
        raise TableError(f"the step '{step.name}' makes a value from more than one input of the patient")
    return {name: columns[name].then(*more[name]) if name in more else columns[name] for name in names}


def _imputed(step: Impute, columns: Mapping[str, _Column], names: list[str]) -> dict[str, _Column]:
    """A gap gets its fixed value; where the value would come from other columns, none is given."""
    found = {}
    marks = {f"{name}_missing": name for name in step.indicated_}
    for name in names:
        if name in marks and name not in columns:
            found[name] = columns[marks[name]].then("missing")
        elif step.chain_ and not columns[name].text:
            found[name] = columns[name]
        else:
            found[name] = columns[name].then("fill", step.fill_[name])
    return found


def _encoded(step: Encode, columns: Mapping[str, _Column], names: list[str]) -> dict[str, _Column]:
    """A category becomes 1 or 0 for each that is shown."""
    found = {name: columns[name] for name in names if name in columns and name not in step.categories_}
    for column, categories in step.categories_.items():
        for category in categories:
            name = f"{column}={category}"
            if name in names and name not in found:
                found[name] = columns[column].then("is", category)
    return {name: found[name] for name in names}
