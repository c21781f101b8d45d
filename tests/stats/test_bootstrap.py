"""Bootstraps: by patient, by class, jointly, reproducibly."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats import roc
from isthmus.stats.bootstrap import bootstrap_interval, patient_multiplicities, percentile_interval


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    y = (rng.uniform(size=130) < 0.3).astype(int)
    return y, y + rng.normal(size=130)


def test_near_delong(data: tuple[np.ndarray, np.ndarray]) -> None:
    """2,000 stratified draws come within 0.015 of DeLong's limits."""
    y, s = data
    ours, delong = bootstrap_interval(roc.auc, y, s, seed=1), roc.delong_interval(y, s)
    np.testing.assert_allclose([ours.lower, ours.upper], [delong.lower, delong.upper], atol=0.015)


def test_same_seed_same_interval(data: tuple[np.ndarray, np.ndarray]) -> None:
    """The seed decides the interval to the last bit."""
    y, s = data
    assert bootstrap_interval(roc.auc, y, s, draws=50, seed=3) == bootstrap_interval(roc.auc, y, s, draws=50, seed=3)


def test_weights_and_rows_give_the_same_draws(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Weighted AUCs are the AUCs of the drawn rows: both roads lead to one interval."""
    y, s = data
    counts = patient_multiplicities(y, draws=100, rng=np.random.default_rng(4))
    quick = percentile_interval(roc.auc(y, s), roc.weighted_auc(y, s, counts), 0.95, "")
    slow = bootstrap_interval(roc.auc, y, s, draws=100, seed=4)
    np.testing.assert_allclose([quick.lower, quick.upper], [slow.lower, slow.upper], rtol=1e-12)


def test_stratified_draws_keep_the_number_of_events(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Every draw has as many events as there are."""
    y, _ = data
    counts = patient_multiplicities(y, draws=30, rng=np.random.default_rng(0))
    assert set(counts @ y) == {float(y.sum())}


def test_plain_draws_vary_the_number_of_events(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Without strata the prevalence carries its own uncertainty."""
    y, _ = data
    counts = patient_multiplicities(y, draws=30, rng=np.random.default_rng(0), stratified=False)
    assert len(set(counts @ y)) > 1


def test_rows_of_a_patient_are_drawn_together() -> None:
    """Three rows of one patient always have the same multiplicity."""
    patients = np.repeat(np.arange(10), 3)
    y = np.repeat([0, 1] * 5, 3)
    counts = patient_multiplicities(y, patients, draws=20, rng=np.random.default_rng(0))
    assert (counts.reshape(20, 10, 3).std(axis=2) == 0).all()


def test_repeated_rows_do_not_narrow_the_interval(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Copying every patient five times, with their ids, leaves the interval as it was."""
    y, s = data
    once = bootstrap_interval(roc.auc, y, s, draws=100, seed=2)
    many = bootstrap_interval(
        roc.auc, np.tile(y, 5), np.tile(s, 5), groups=np.tile(np.arange(y.size), 5), draws=100, seed=2
    )
    np.testing.assert_allclose([many.lower, many.upper], [once.lower, once.upper], rtol=1e-12)


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        ([0.5] * 100, "the same value in all 100 draws"),
        ([np.nan] * 20 + [0.4, 0.6] * 40, "undefined in 20 of 100 draws"),
    ],
)
def test_draws_that_carry_no_interval(drawn: list[float], reason: str) -> None:
    """Without variation, or with many undefined draws, there is no interval and a reason."""
    result = percentile_interval(0.5, np.array(drawn), 0.95, "bootstrap")
    assert (np.isnan(result.lower), reason in result.method) == (True, True)


def test_few_undefined_draws_are_counted() -> None:
    """A few undefined draws are left out, and said."""
    result = percentile_interval(0.5, np.r_[np.nan, np.linspace(0.4, 0.6, 99)], 0.95, "bootstrap")
    assert "1 undefined draws left out" in result.method


def test_nobody_is_refused() -> None:
    """There is no bootstrap of nobody."""
    with pytest.raises(TableError, match="no patients"):
        bootstrap_interval(roc.auc, [], [], seed=1)


def test_bca_of_a_mean_of_skewed_values_leans_with_the_skew() -> None:
    """BCa moves the limits towards the long tail, where the percentile limits lag behind."""
    rng = np.random.default_rng(3)
    x = rng.exponential(size=40)
    y = np.ones(40)

    def mean(_: np.ndarray, score: np.ndarray) -> float:
        return float(score.mean())

    plain = bootstrap_interval(mean, y, x, draws=4000, seed=1)
    bca = bootstrap_interval(mean, y, x, draws=4000, seed=1, kind="bca")
    assert (bca.lower > plain.lower, bca.upper > plain.upper) == (True, True)


def test_bca_equals_scipy() -> None:
    """The limits are those of scipy's BCa bootstrap, up to the noise of the draws."""
    from scipy import stats

    x = np.random.default_rng(7).exponential(size=60)
    ours = bootstrap_interval(lambda _, s: float(s.std()), np.ones(60), x, draws=6000, seed=1, kind="bca")
    theirs = stats.bootstrap((x,), np.std, n_resamples=6000, method="BCa", rng=np.random.default_rng(2))
    limits = theirs.confidence_interval
    np.testing.assert_allclose([ours.lower, ours.upper], [limits.low, limits.high], rtol=0.03)
