"""The outer splits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import LeakageError, TableError
from isthmus.validate.splits import Split, outer_splits

OUTCOME = pd.Series((np.arange(47) % 3 == 0).astype(int), index=[f"P{i}" for i in range(47)])


def test_each_patient_tests_once_per_repeat():
    """In each repeat the test parts are a partition of the patients."""
    splits = outer_splits(OUTCOME, folds=5, repeats=3, seed=1)
    tested = [sorted(p for s in splits if s.repeat == repeat for p in s.test) for repeat in (1, 2, 3)]
    assert tested == [sorted(OUTCOME.index)] * 3


def test_train_and_test_make_up_the_cohort():
    """Train is everybody who does not test."""
    assert all(
        set(s.train) | set(s.test) == set(OUTCOME.index) for s in outer_splits(OUTCOME, folds=5, repeats=2, seed=1)
    )


def test_repeats_differ():
    """A repeat deals the patients anew."""
    first, second = (outer_splits(OUTCOME, folds=5, repeats=2, seed=1)[i] for i in (0, 5))
    assert set(first.test) != set(second.test)


def test_the_order_of_the_table_does_not_matter():
    """The same patients in another order give the same splits."""
    shuffled = OUTCOME.iloc[np.random.default_rng(0).permutation(47)]
    assert outer_splits(OUTCOME, folds=4, repeats=2, seed=3) == outer_splits(shuffled, folds=4, repeats=2, seed=3)


def test_a_patient_on_both_sides_is_a_leak():
    """L4: a split that names a patient twice cannot be made."""
    with pytest.raises(LeakageError, match="train and test at once"):
        Split(1, 1, ("A", "B"), ("B",))


def test_a_duplicate_patient_is_an_error():
    """One outcome per patient."""
    with pytest.raises(TableError, match="patients occur twice: A"):
        outer_splits(pd.Series([0, 1, 0], index=["A", "A", "B"]), folds=2, repeats=1, seed=1)


def test_one_class_is_an_error():
    """Without events there is nothing to validate."""
    with pytest.raises(TableError, match="same outcome"):
        outer_splits(pd.Series([0, 0, 0], index=list("ABC")), folds=2, repeats=1, seed=1)


def test_a_class_smaller_than_the_folds_says_what_is_possible():
    """4 events, 5 folds: at most 4."""
    with pytest.raises(TableError, match="at most 4 folds"):
        outer_splits(pd.Series([1] * 4 + [0] * 20, index=map(str, range(24))), folds=5, repeats=1, seed=1)
