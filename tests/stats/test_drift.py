"""Whether new values are distributed as those of training, told from quantiles and counts only."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isthmus.stats.drift import category_shift, missing_p, number_shift, two_samples
from isthmus.study.manifest import LEVELS


def kept(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a model file keeps of a training column."""
    quantiles = np.quantile(values, LEVELS)
    return quantiles, np.array([np.mean(values <= q) for q in quantiles])


def test_two_samples_is_scipys():
    """With all training values known, distance and p are scipy's two-sample test (asymptotic)."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=80), rng.normal(0.4, size=50)
    expected = stats.ks_2samp(a, b, method="asymp")
    found = two_samples(a, b)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
def test_quantiles_never_invent_a_difference(shift):
    """From quantiles only, the distance is at most that of all values, so p is at least as large; and close to it."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=200), rng.normal(shift, size=100)
    whole, part = two_samples(a, b), number_shift(*kept(a), 200, b)
    assert whole.statistic - 0.07 < part.statistic <= whole.statistic + 1e-12


def test_level_of_the_test():
    """Of 400 batches of the same population, about 5 in 100 or fewer are called different at 0.05."""
    rng = np.random.default_rng(2)
    calls = []
    for _ in range(400):
        a, b = rng.exponential(size=120), rng.exponential(size=40)
        calls.append(number_shift(*kept(a), 120, b).p < 0.05)
    assert 0.005 < np.mean(calls) < 0.065


def test_ties_are_exact():
    """Stages 1 to 4, the same in both: no difference, whatever the ties do to quantiles."""
    a = np.repeat([1.0, 2.0, 3.0, 4.0], 25)
    found = number_shift(*kept(a), 100, a)
    assert (found.statistic, found.p) == (0.0, 1.0)
    assert abs(found.psi) < 1e-12


def test_everything_below_the_range():
    """New values all below the training range are as far away as can be."""
    a = np.arange(100.0)
    assert number_shift(*kept(a), 100, np.full(30, -5.0)).statistic == 1.0


def test_psi_by_hand():
    """Counts 50, 50 in training and 30, 70 now, half a patient added to each."""
    expected = sum((q - p) * np.log(q / p) for p, q in [(50.5 / 101, 30.5 / 101), (50.5 / 101, 70.5 / 101)])
    assert category_shift({"a": 50, "b": 50}, {"a": 30, "b": 70}).psi == pytest.approx(expected)


def test_a_category_that_is_new():
    """A scanner that training never saw is a difference."""
    assert category_shift({"A": 50, "B": 50}, {"C": 20}).p < 1e-10
    assert category_shift({"A": 50}, {"A": 20}).p == 1.0


def test_missing_values():
    """Fisher's exact test of missing and there."""
    assert missing_p((0, 100), (10, 10)) == pytest.approx(stats.fisher_exact([[0, 100], [10, 10]])[1])


def test_nothing_to_compare():
    """A column without values says so and gives no number."""
    found = number_shift([], [], 0, [1.0])
    assert np.isnan(found.p)
    assert found.test.startswith("not computed")
