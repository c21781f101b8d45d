"""Repeated random splits: shares, strata, and what the order of patients may change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.table import Outcome
from isthmus.validate.splits import random_splits


def outcome(n: int, events: int) -> Outcome:
    return Outcome(
        "y",
        "binary",
        pd.Series(np.r_[np.ones(events), np.zeros(n - events)].astype(int), index=[f"P{i:03d}" for i in range(n)]),
    )


@pytest.mark.parametrize(
    ("n", "events", "share", "tests", "found"), [(500, 57, 0.3, 150, 17), (100, 25, 0.2, 20, 5), (11, 2, 0.3, 4, 1)]
)
def test_the_test_part_has_its_share_of_every_class(n, events, share, tests, found):
    """150 of the study's 500 patients with 17 of 57 events; a class of two is on both sides, be it one patient more."""
    made = random_splits(outcome(n, events), splits=3, test_share=share, seed=1)
    rare = {f"P{i:03d}" for i in range(events)}
    assert [(len(split.test), len(rare & set(split.test))) for split in made] == [(tests, found)] * 3


def test_splits_differ_and_follow_the_seed():
    """Each draws anew from everybody; the same seed draws the same."""
    one, other = (random_splits(outcome(60, 20), splits=4, test_share=0.3, seed=5) for _ in range(2))
    assert one == other
    assert len({split.test for split in one}) == 4


def test_the_order_of_patients_changes_nothing():
    """A spreadsheet sorted otherwise gives the same splits."""
    y = outcome(40, 10).values
    assert random_splits(y, splits=2, test_share=0.3, seed=1) == random_splits(
        y[::-1], splits=2, test_share=0.3, seed=1
    )


def test_strata_are_shared_out_too():
    """Half of each centre's patients of each class test."""
    y = outcome(40, 20)
    centres = pd.Series(["A", "B"] * 20, index=y.values.index)
    test = list(random_splits(y, splits=1, test_share=0.5, seed=1, strata=centres)[0].test)
    assert pd.crosstab(centres[test], y.values[test]).to_numpy().tolist() == [[5, 5], [5, 5]]


def test_a_class_of_one_patient_is_refused():
    """He cannot stand on both sides."""
    with pytest.raises(TableError, match="at least two patients each; the classes have 9, 1 patients"):
        random_splits(outcome(10, 1), splits=2, test_share=0.3, seed=1)
