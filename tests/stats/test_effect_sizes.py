"""Shift, dominance and association of two groups."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.stats.effect_sizes import cliffs_delta, cliffs_delta_bootstrap, cramers_v, hodges_lehmann
from isthmus.stats.groups import mann_whitney


def test_hodges_lehmann_of_a_published_example() -> None:
    """Hollander and Wolfe's placenta data: R's wilcox.test(x, y, conf.int = TRUE) estimates -0.305."""
    x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    y = [1.15, 0.88, 0.90, 0.74, 1.21]
    assert hodges_lehmann(y, x).estimate == pytest.approx(-0.305)


def test_limits_of_a_shift_cover_it() -> None:
    """In 400 samples of a shift of 1 about 95 % of the intervals hold it."""
    rng = np.random.default_rng(0)
    found = [hodges_lehmann(rng.exponential(1, 20) + 1, rng.exponential(1, 15)) for _ in range(400)]
    assert 0.92 < np.mean([one.lower <= 1 <= one.upper for one in found]) < 0.99


def test_cliffs_delta_is_the_rank_sum() -> None:
    """2 U / (m n) - 1."""
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 4, 30), rng.integers(0, 4, 25)
    assert cliffs_delta(a, b).estimate == pytest.approx(2 * mann_whitney(a, b).statistic / 750 - 1)


@pytest.mark.parametrize("kind", ["formula", "bootstrap"])
def test_limits_of_cliffs_delta_cover_it(kind: str) -> None:
    """Grades of four levels, 20 against 20: the true delta lies in about 95 % of the intervals."""
    rng = np.random.default_rng(2)
    p, q = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.15, 0.25, 0.3, 0.3])
    truth = sum(q[i] * p[j] * np.sign(i - j) for i in range(4) for j in range(4))
    inside = []
    for _ in range(300):
        a, b = rng.choice(4, 20, p=q), rng.choice(4, 20, p=p)
        found = cliffs_delta(a, b) if kind == "formula" else cliffs_delta_bootstrap(a, b, rng=rng, draws=400)
        inside.append(found.lower <= truth <= found.upper)
    assert np.mean(inside) > 0.9


def test_groups_that_do_not_overlap_have_a_limit() -> None:
    """delta is 1, and the lower limit rises with the patients."""
    few, many = (cliffs_delta(np.arange(n) + 100, np.arange(n)) for n in (6, 30))
    assert (few.estimate, few.upper) == (1.0, 1.0)
    assert few.lower < many.lower < 1


def test_cramers_v_has_no_bias() -> None:
    """The mean over tables of independent categories is near 0 (uncorrected: 0.28); perfect association gives 1."""
    rng = np.random.default_rng(3)
    values = []
    for _ in range(300):
        a, b = rng.integers(0, 2, 30), rng.integers(0, 4, 30)
        values.append(cramers_v([[np.sum((a == i) & (b == j)) for j in range(4)] for i in range(2)]))
    assert np.nanmean(values) < 0.13
    assert cramers_v([[50, 0], [0, 50]]) == pytest.approx(1.0)
