"""Which patients train and which test: repeated, stratified by outcome, grouped by patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import LeakageError, TableError
from isthmus.stats.seeds import child_seed
from isthmus.table.outcome import Outcome
from isthmus.table.steps import deal_folds

__all__ = ["Split", "outer_splits"]


@dataclass(frozen=True, slots=True)
class Split:
    """One fold of one repeat: the patients that train and those that test (repeats and folds count from 1)."""

    repeat: int
    fold: int
    train: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        both = sorted(set(self.train) & set(self.test))
        if both:
            raise LeakageError(
                f"repeat {self.repeat}, fold {self.fold}: {len(both)} patient(s) train and test at once "
                f"({', '.join(both[:5])}). "
                "All rows of a patient belong to one side (rule L4)."
            )


def outer_splits(
    outcome: pd.Series[Any] | Outcome,
    *,
    folds: int,
    repeats: int,
    seed: int,
    strata: pd.Series[Any] | None = None,
) -> list[Split]:
    """The splits of repeated cross-validation, folds within repeats.

    Parameters
    ----------
    outcome : Series of classes, index = patient; or Outcome
        Each class (of a time to event: events and censored) is spread evenly over the folds. The order of the patients does not matter.
    folds, repeats : int
    seed : int
        The study's seed; the splits follow from it alone, never from a result (rule L7).
    strata : Series, index = patient, optional
        What else is spread evenly (the centre, where it is harmonised).

    Raises
    ------
    TableError
        A patient occurs twice, there is one class only, or a class has fewer patients than folds (it says how many
        are possible).
    """
    target = None if isinstance(outcome, pd.Series) else outcome.target()
    outcome = outcome if isinstance(outcome, pd.Series) else outcome.values
    if not outcome.index.is_unique:
        twice = list(dict.fromkeys(map(str, outcome.index[outcome.index.duplicated()])))
        raise TableError(f"outcome: patients occur twice: {', '.join(twice[:5])}. One outcome per patient is expected.")
    if outcome.isna().any():
        raise TableError(f"outcome: missing for {int(outcome.isna().sum())} patient(s); exclude them before the split")
    patients = np.asarray(sorted(map(str, outcome.index)))
    place = pd.Index([str(patient) for patient in outcome.index]).get_indexer(pd.Index(patients))
    values = (outcome.to_numpy() if target is None else target)[place]
    others = None if strata is None else strata.set_axis([str(patient) for patient in strata.index]).loc[patients]
    splits = []
    for repeat in range(1, repeats + 1):
        dealt = deal_folds(
            patients, values, folds=folds, seed=child_seed(seed, "outer folds", repeat), reduce=False, strata=others
        )
        for fold in range(folds):
            test = dealt == fold
            splits.append(Split(repeat, fold + 1, tuple(patients[~test].tolist()), tuple(patients[test].tolist())))
    return splits
