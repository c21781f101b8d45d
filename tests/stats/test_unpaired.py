"""Brunner and Munzel's published example, relative effects by counting pairs, permuted means by hand; patients drawn whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.clustered import clustered_intervals
from isthmus.stats.unpaired import brunner_munzel, permuted_difference, relative_effect

# pain scores on the third day after surgery, Brunner and Munzel 2000
Y = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1]
N = [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4]


def test_the_published_example() -> None:
    """Statistic 3.1375 with 17.683 degrees of freedom, p 0.005786, relative effect 0.788961 (0.5952 to 0.9827), as R's lawstat prints."""
    found, effect = brunner_munzel(Y, N), relative_effect(Y, N)
    assert (found.statistic, found.df, found.p) == pytest.approx((3.1375, 17.683, 0.005786), rel=1e-4)
    assert (effect.estimate, effect.lower, effect.upper) == pytest.approx((0.788961, 0.5952169, 0.9827052), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_scipys_and_the_effect_a_share_of_pairs(seed: int) -> None:
    """With ties and a missing value."""
    draw = np.random.default_rng(seed)
    a, b = draw.integers(0, 6, 17).astype(float), draw.integers(1, 8, 12).astype(float)
    found = brunner_munzel([*a, np.nan], b)
    theirs = stats.brunnermunzel(a, b)
    assert (found.statistic, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert relative_effect(a, b).estimate == pytest.approx(
        np.mean([(y > x) + (y == x) / 2 for x, y in itertools.product(a, b)])
    )


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ([1, 2, 3], [4, 5], "do not overlap"),
        ([1, 1], [1, 1, 1], "every value is the same"),
        ([1], [2, 3], "fewer than 2"),
    ],
)
def test_where_it_is_not_defined_it_says_why(a: list[float], b: list[float], why: str) -> None:
    """NaN, with the reason."""
    found = brunner_munzel(a, b)
    assert np.isnan(found.p)
    assert why in found.method
    assert why in relative_effect(a, b).method


def test_every_labelling_is_counted() -> None:
    """Of the 10 labellings of 2 and 3 subjects two are as far apart as the observed one."""
    found = permuted_difference([1, 2], [5, 6, 10], rng=np.random.default_rng(1))
    assert (found.statistic, found.p) == pytest.approx((5.5, 1 / 10))
    assert found.method == "permuted means, every labelling"


def test_drawn_labellings_come_near_every_labelling() -> None:
    """10,000 drawn against 48,620 counted."""
    draw = np.random.default_rng(3)
    a, b = draw.normal(0, 1, 9), draw.normal(0.8, 1, 9)
    every = permuted_difference(a, b, permutations=100_000, rng=draw)
    some = permuted_difference(a, b, permutations=10_000, rng=draw)
    assert every.method.endswith("every labelling")
    assert some.p == pytest.approx(every.p, abs=0.015)


def test_patients_are_drawn_whole() -> None:
    """Of patients whose rows are alike, copies of rows narrow nothing."""
    values = np.random.default_rng(4).normal(size=20)
    (once,) = clustered_intervals(lambda rows: values[rows].mean(), np.arange(20), seed=5)
    copied = np.repeat(values, 4)
    (four,) = clustered_intervals(lambda rows: copied[rows].mean(), np.repeat(np.arange(20), 4), seed=5)
    assert (four.lower, four.upper) == pytest.approx((once.lower, once.upper))
    (apart,) = clustered_intervals(lambda rows: copied[rows].mean(), np.arange(80), seed=5)
    assert apart.upper - apart.lower < 0.7 * (four.upper - four.lower)


def test_several_statistics_and_their_order() -> None:
    """One interval a number, each as if alone."""
    values = np.random.default_rng(6).normal(size=(15, 2))
    both = clustered_intervals(lambda rows: values[rows].mean(axis=0), np.arange(15), draws=300, seed=7)
    (second,) = clustered_intervals(lambda rows: values[rows, 1].mean(), np.arange(15), draws=300, seed=7)
    assert (both[1].lower, both[1].upper) == pytest.approx((second.lower, second.upper))


def test_nobody_to_draw() -> None:
    """Refused."""
    with pytest.raises(TableError, match="at least one patient"):
        clustered_intervals(lambda rows: 0.0, [], seed=1)
