"""Which patients train and which test: repeated folds or random splits, stratified by outcome, grouped by patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import LeakageError, TableError
from isthmus.stats.seeds import child_seed
from isthmus.table.outcome import Outcome
from isthmus.table.steps import deal_folds
from isthmus.table.target import is_time_to_event
from isthmus.table.target import strata as target_strata

__all__ = ["Split", "outer_splits", "random_splits"]


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
    patients, values, others = _in_order(outcome, strata)
    splits = []
    for repeat in range(1, repeats + 1):
        dealt = deal_folds(
            patients, values, folds=folds, seed=child_seed(seed, "outer folds", repeat), reduce=False, strata=others
        )
        for fold in range(folds):
            test = dealt == fold
            splits.append(Split(repeat, fold + 1, tuple(patients[~test].tolist()), tuple(patients[test].tolist())))
    return splits


def random_splits(
    outcome: pd.Series[Any] | Outcome,
    *,
    splits: int,
    test_share: float,
    seed: int,
    strata: pd.Series[Any] | None = None,
) -> list[Split]:
    """The same share of patients drawn as test part again and again, each time from all of them.

    Parameters
    ----------
    outcome : Series of classes, index = patient; or Outcome
    splits : int
        How many; the n-th is `repeat` n with one fold.
    test_share : float
        Of the patients of each class (and stratum); parts of a patient go to the classes with the largest remainders, so that the whole
        test part has its share. Every class keeps a patient on either side.
    seed : int
    strata : Series, index = patient, optional

    Raises
    ------
    TableError
        As for `outer_splits`, or a class has one patient only.
    """
    patients, values, others = _in_order(outcome, strata)
    codes = np.unique(target_strata(values) if is_time_to_event(values) else values, return_inverse=True)[1]
    counts = np.bincount(codes)
    if len(counts) < 2 or counts.min() < 2:
        raise TableError(
            "random splits need two classes with at least two patients each; the classes have "
            f"{', '.join(map(str, counts))} patients"
        )
    labels = (
        codes.astype(str)
        if others is None
        else np.char.add(np.char.add(codes.astype(str), " "), others.to_numpy(dtype=str))
    )
    kinds, of = np.unique(labels, return_inverse=True)
    sizes = _shares(np.bincount(of), test_share)
    found = []
    for number in range(1, splits + 1):
        rng = np.random.default_rng(child_seed(seed, "random splits", number))
        test = np.zeros(len(patients), dtype=bool)
        for kind in range(len(kinds)):
            test[rng.permutation(np.flatnonzero(of == kind))[: sizes[kind]]] = True
        for code in range(len(counts)):  # small strata may leave a class on one side
            mine = np.flatnonzero(codes == code)
            if test[mine].all() or not test[mine].any():
                test[rng.choice(mine)] ^= True
        found.append(Split(number, 1, tuple(patients[~test].tolist()), tuple(patients[test].tolist())))
    return found


def _shares(counts: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """How many of each kind make up the share of them all: the whole parts, and one more where the remainders are largest."""
    exact = counts * share
    sizes = np.floor(exact).astype(np.int64)
    left = round(float(exact.sum())) - int(sizes.sum())
    sizes[np.argsort(sizes - exact, kind="stable")[:left]] += 1
    return sizes


def _in_order(
    outcome: pd.Series[Any] | Outcome, strata: pd.Series[Any] | None
) -> tuple[NDArray[Any], NDArray[Any], pd.Series[Any] | None]:
    """The patients sorted by name, with their outcomes and strata; refused where they cannot be split."""
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
    return patients, np.asarray(values), others
