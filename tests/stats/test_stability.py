"""Nogueira's stability index."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.stats.stability import stability_index


def test_the_same_columns_every_time_are_perfectly_stable():
    """Index 1, interval (1, 1)."""
    found = stability_index(np.tile([True, False, True, False], (10, 1)))
    assert (found.estimate, found.lower, found.upper) == pytest.approx((1.0, 1.0, 1.0))


def test_random_selections_have_no_stability():
    """The mean over many random sets is 0 within Monte-Carlo error, whatever the share chosen."""
    rng = np.random.default_rng(0)
    found = [stability_index(rng.random((20, 50)) < 0.2).estimate for _ in range(200)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(200)


def test_it_is_one_minus_observed_over_expected_variance():
    """The definition in plain loops: unbiased variance of each column's choice over its variance under chance."""
    z = (np.random.default_rng(1).random((7, 12)) < np.linspace(0.05, 0.95, 12)).astype(float)
    share = z.sum() / z.size
    expected = 1 - np.mean([column.var(ddof=1) for column in z.T]) / (share * (1 - share))
    assert stability_index(z).estimate == pytest.approx(expected, rel=1e-12)


def test_two_sets_of_one_size_are_compared_by_kuncheva():
    """For sets of k columns the index is Kuncheva's (r - k²/d) / (k - k²/d) with r shared columns."""
    z = np.array([[1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0, 0]])
    assert stability_index(z).estimate == pytest.approx((2 - 9 / 8) / (3 - 9 / 8))


def test_the_interval_covers_the_truth():
    """Of 300 drawn studies with independent selections about 95 % of the intervals hold the true index (0.90 to 0.99)."""
    rng = np.random.default_rng(2)
    p = np.r_[np.full(5, 0.9), np.full(45, 0.1)]
    truth = 1 - (p * (1 - p)).mean() / (p.mean() * (1 - p.mean()))
    found = [stability_index(rng.random((30, 50)) < p) for _ in range(300)]
    assert 0.90 <= np.mean([interval.lower <= truth <= interval.upper for interval in found]) <= 0.99


@pytest.mark.parametrize("z", [np.zeros((5, 4)), np.ones((5, 4)), np.ones((1, 4))])
def test_where_it_is_not_defined_it_says_so(z):
    """Nothing or everything chosen every time, or one selection: NaN and a reason."""
    found = stability_index(z)
    assert np.isnan(found.estimate)
    assert "not" in found.method
