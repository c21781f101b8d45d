"""Permutation adjusted for all measurements together."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.stats.groups import mann_whitney
from isthmus.stats.max_t import max_t


def _data(effect: float, p: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1], 15)
    values = rng.normal(size=(30, 1)) + 0.5 * rng.normal(size=(30, p))
    values[:, 0] = rng.normal(size=30) + effect * group
    return values, group


def test_alone_it_is_the_rank_sum_test() -> None:
    """The p of one measurement is the exact test's, within the error of the permutations."""
    values, group = _data(1.0)
    alone, _ = max_t(values, group, permutations=20000, rng=np.random.default_rng(1))
    exact = [mann_whitney(column[group == 1], column[group == 0], method="exact").p for column in values.T]
    np.testing.assert_allclose(alone, exact, atol=0.012)


def test_copies_cost_nothing() -> None:
    """Twelve copies of a measurement are adjusted as one; Bonferroni would take twelve times as much."""
    values, group = _data(0.8)
    copies = np.repeat(values[:, :1], 12, axis=1)
    alone, adjusted = max_t(copies, group, permutations=2000, rng=np.random.default_rng(1))
    np.testing.assert_allclose(adjusted, alone)


def test_the_error_of_all_tests_is_kept() -> None:
    """Over 300 null tables the smallest adjusted p is below 0.05 in about 5 %."""
    small = [
        np.nanmin(max_t(*_data(0.0, seed=seed), permutations=199, rng=np.random.default_rng(seed))[1]) <= 0.05
        for seed in range(300)
    ]
    assert 0.015 < np.mean(small) < 0.09


def test_missing_values_and_constants() -> None:
    """A missing value is left out of its measurement; a constant one has no p."""
    values, group = _data(3.0)
    values[:3, 0], values[:, 1] = np.nan, 1.0
    alone, adjusted = max_t(values, group, permutations=999, rng=np.random.default_rng(1))
    assert alone[0] == pytest.approx(0.001)
    assert np.isnan(adjusted[1])
