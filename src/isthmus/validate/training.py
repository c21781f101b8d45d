"""The training rows of a fold, dealt to inner folds, and the risks of rows that no model had seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.table.memory import Memory, Rows
from isthmus.table.outcome import Task
from isthmus.validate.scoring import risks_of

__all__ = [
    "Array",
    "Training",
    "one_per_patient",
    "out_of_bag_is_honest",
    "out_of_bag_risks",
    "out_of_fold_risks",
    "per_patient",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Training:
    """The training rows and how they are dealt to inner folds.

    Parameters
    ----------
    rows : Rows
    folds : array, shape (n,)
        The inner fold of each row; the rows of a patient are in one.
    memory : Memory
        Of what steps made of rows; shared by the models of a fold.
    task : {"binary", "multiclass", "ordinal", "survival"}
    """

    rows: Rows
    folds: NDArray[np.int64]
    memory: Memory
    task: Task = "binary"

    def inner(self) -> Iterator[tuple[Rows, Rows, NDArray[np.bool_]]]:
        """The rows to fit on, the rows held out, and which those are."""
        for fold in np.unique(self.folds):
            held = self.folds == fold
            yield self.rows.take(~held), self.rows.take(held), held


def out_of_fold_risks(pipeline: Any, training: Training) -> Array:
    """Risk (or probabilities of the classes) of every training row from a model fitted without its inner fold."""
    risks: Array | None = None
    for fit, outside, held in training.inner():
        fitted = pipeline.fresh().fit_rows(fit, training.memory)
        found = risks_of(training.task, fitted.predict_rows(outside, training.memory))
        risks = np.empty((len(training.folds), *found.shape[1:])) if risks is None else risks
        risks[held] = found
    assert risks is not None
    return risks


def out_of_bag_is_honest(pipeline: Any, patients: NDArray[Any]) -> bool:
    """May a forest's out-of-bag risks stand for inner cross-validation?

    Only if no step before it saw the outcome, and no patient has a second row that could have been in the bag.
    """
    return (
        hasattr(pipeline.estimator, "out_of_bag_risk")
        and len(set(patients)) == len(patients)
        and all(step.kind != "supervised" for _, step in pipeline.chain)
    )


def out_of_bag_risks(fitted: Any, plain: Any, training: Training) -> Array:
    """Risk of every training row from the trees that did not see it."""
    risks: Array = fitted.carried_back(fitted.estimator.out_of_bag_risk())
    # NaN: a row was in every bag; only tiny forests
    return out_of_fold_risks(plain, training) if np.isnan(risks).any() else risks


def per_patient(patients: NDArray[Any], values: Any) -> pd.Series[Any]:
    """Mean over the rows of each patient, in order of first appearance."""
    return pd.Series(np.asarray(values, dtype=np.float64)).groupby(patients, sort=False).mean()


def one_per_patient(rows: Rows, risks: Array) -> tuple[NDArray[Any], Array]:
    """The outcome of each patient and the mean risk (or probabilities) of his rows, in order of first appearance."""
    _, first = np.unique(rows.patients, return_index=True)
    mean = pd.DataFrame(risks).groupby(rows.patients, sort=False).mean().to_numpy()
    return rows.events[np.sort(first)], mean.reshape(-1, *risks.shape[1:])
