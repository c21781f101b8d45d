"""Correlation and Shapiro-Wilk: what the reference tables do not cover."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.correlation import correlation_interval, correlation_test, shapiro_wilk


def test_limits_of_pearson() -> None:
    """r = 0.5 of 28 pairs: tanh(atanh(0.5) -+ 1.959964 / 5)."""
    x = [float(i) for i in range(28)]
    z = [v + 20 * math.sin(7 * v) for v in x]
    r = correlation_test(x, z, "pearson").statistic
    half = 1.959963984540054 / 5
    assert correlation_interval(x, z).lower == pytest.approx(math.tanh(math.atanh(r) - half))


def test_missing_pairs_are_left_out() -> None:
    """A pair with a gap is no pair."""
    assert correlation_test([1, 2, 3, 4, math.nan], [1, 3, 2, 4, 9]).df == 4


def test_a_constant_has_no_correlation() -> None:
    """And the method says why."""
    assert "no variation" in correlation_test([1, 1, 1], [1, 2, 3]).method


def test_a_constant_is_not_tested_for_normality() -> None:
    """And the method says why."""
    assert "not computed" in shapiro_wilk([2, 2, 2]).method


def test_kendall_has_no_interval() -> None:
    """An unknown interval is refused, not invented."""
    with pytest.raises(TableError, match="no interval for Kendall"):
        correlation_interval([1, 2, 3], [1, 2, 3], "kendall")


def test_what_rounding_left_is_no_variation() -> None:
    """A feature that is constant but for its last digits has no correlation, and no warning."""
    values = 7.0 + 1e-14 * np.arange(8)
    assert np.isnan(correlation_test(values, np.arange(8.0), "pearson").statistic)
