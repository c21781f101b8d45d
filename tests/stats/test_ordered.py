"""Exact tests on ordered levels against plain enumeration of all ways to share patients between groups."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from isthmus.stats.groups import mann_whitney
from isthmus.stats.ordered import midranks, trend_test, wilcoxon_test


def _table(a: np.ndarray, b: np.ndarray, levels: int) -> np.ndarray:
    return np.array([[np.sum(a == k), np.sum(b == k)] for k in range(levels)])


def _every(values: np.ndarray, chosen: int, observed: float) -> float:
    """Share of all choices of patients whose sum lies as far from its mean."""
    mean = values.sum() * chosen / len(values)
    sums = np.array([values[list(which)].sum() for which in combinations(range(len(values)), chosen)])
    return float((np.abs(sums - mean) >= abs(observed - mean) - 1e-9).mean())


@pytest.mark.parametrize("seed", range(5))
def test_exact_p_is_that_of_all_choices(seed: int) -> None:
    """Seven against five patients on four levels, by midranks and by scores."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 4, 7), rng.integers(1, 4, 5)
    table = _table(a, b, 4)
    ranks, scores = midranks(table), np.arange(1.0, 5)
    for test, at in ((wilcoxon_test(table), ranks), (trend_test(table), scores)):
        assert test.p == pytest.approx(_every(at[np.concatenate([a, b])], 5, at[b].sum()))


def test_without_ties_it_is_mann_whitney() -> None:
    """Six against six, perfectly apart: 0.00216."""
    table = np.array([[1, 0]] * 6 + [[0, 1]] * 6)
    assert wilcoxon_test(table).p == pytest.approx(mann_whitney(np.arange(6), np.arange(6) + 6).p)
    assert wilcoxon_test(table).p == pytest.approx(2 / 924)


def test_many_patients_fall_back_and_say_so() -> None:
    """Where the ways cannot be listed the test is the normal approximation, and its name says so."""
    rng = np.random.default_rng(1)
    table = rng.integers(20, 40, (9, 2))
    assert wilcoxon_test(table).method.endswith("normal approximation")
    assert trend_test(table).method.endswith("normal approximation")


def test_one_level_has_no_test() -> None:
    """Everybody negative."""
    assert np.isnan(wilcoxon_test([[5, 6], [0, 0]]).p)
