"""Combinations of p-values, beside R's (tests/reference)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.combine_p import fisher_combined, geometric_mean_p, stouffer_combined


def test_geometric_mean_of_equal_p_is_that_p():
    """Ten times 0.02 is 0.02, and the p-value of it is e times as much."""
    found = geometric_mean_p([0.02] * 10)
    assert (found.value, found.p) == pytest.approx((0.02, math.e * 0.02))


def test_geometric_mean_replaces_zeros_and_counts_them():
    """A p-value of 0 becomes the smallest a permutation test can give."""
    found = geometric_mean_p([0.0, 0.01, np.nan], smallest=0.01)
    assert (found.value, found.count, found.replaced) == (pytest.approx(0.01), 2, 1)


def test_geometric_mean_p_never_exceeds_one():
    """e times 0.9 would."""
    assert geometric_mean_p([0.9]).p == 1.0


@pytest.mark.parametrize("combine", [fisher_combined, stouffer_combined])
def test_one_p_value_is_its_own_combination(combine):
    """Nothing to combine: p stays."""
    assert combine([0.03]).p == pytest.approx(0.03, rel=1e-12)


def test_stouffer_says_that_it_left_out_ones():
    """The method names what took no part."""
    assert "1 p-value(s) of 1 left out" in stouffer_combined([0.5, 1.0]).method


@pytest.mark.parametrize("combine", [fisher_combined, stouffer_combined, geometric_mean_p])
def test_what_is_no_p_value_is_refused(combine):
    """1.2 is not a probability."""
    with pytest.raises(TableError, match="between 0 and 1"):
        combine([0.2, 1.2])
