"""Decision curves: the identities that hold for every model."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.decision_curve import net_benefit, net_benefit_band


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    p = rng.uniform(size=150)
    return (rng.uniform(size=150) < p * 0.6).astype(int), p


def test_treating_all_at_the_prevalence_gains_nothing(data: tuple[np.ndarray, np.ndarray]) -> None:
    """At a threshold equal to the prevalence, treating all equals treating none."""
    y, p = data
    assert net_benefit(y, p, [y.mean()])["treat_all"][0] == pytest.approx(0, abs=1e-15)


def test_at_zero_the_model_treats_all(data: tuple[np.ndarray, np.ndarray]) -> None:
    """At threshold 0 everybody is treated and the benefit is the prevalence."""
    y, p = data
    assert net_benefit(y, p, [0.0])["model"][0] == pytest.approx(y.mean())


def test_interventions_avoided_by_treating_all_is_zero(data: tuple[np.ndarray, np.ndarray]) -> None:
    """A model that treats everybody avoids no intervention."""
    y, _ = data
    assert net_benefit(y, np.ones(y.size), [0.3])["interventions_avoided"][0] == pytest.approx(0)


def test_pooled_repeats_are_the_mean_of_the_repeats(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Pooling the rows of repeats averages their net benefits."""
    y, p = data
    q = p**2
    pooled = net_benefit(np.r_[y, y], np.r_[p, q], [0.2])["model"][0]
    assert pooled == pytest.approx((net_benefit(y, p, [0.2])["model"][0] + net_benefit(y, q, [0.2])["model"][0]) / 2)


def test_band_surrounds_the_model(data: tuple[np.ndarray, np.ndarray]) -> None:
    """The model's curve lies within its band."""
    band = net_benefit_band(*data, np.linspace(0.05, 0.6, 20), draws=200, seed=1)
    assert ((band["lower"] <= band["model"]) & (band["model"] <= band["upper"])).all()


def test_repeated_rows_do_not_narrow_the_band(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Copies of the same patients add no information."""
    y, p = data
    who, at = np.arange(y.size), [0.1, 0.3]
    once = net_benefit_band(y, p, at, patients=who, draws=200, seed=1)
    thrice = net_benefit_band(np.tile(y, 3), np.tile(p, 3), at, patients=np.tile(who, 3), draws=200, seed=1)
    np.testing.assert_allclose(thrice, once, atol=1e-12)


def test_rows_that_are_not_repeats_are_drawn_with_their_patient(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Patients with different numbers of rows keep all of them in every draw."""
    y, p = data
    who = np.r_[np.arange(y.size), 0]
    band = net_benefit_band(np.r_[y, y[0]], np.r_[p, p[0]], [0.2], patients=who, draws=200, seed=1)
    assert band["lower"][0] < band["model"][0] < band["upper"][0]


@pytest.mark.parametrize("threshold", [1.0, -0.1])
def test_thresholds_are_probabilities_below_one(threshold: float, data: tuple[np.ndarray, np.ndarray]) -> None:
    """At 1 the odds are infinite, below 0 there are none."""
    with pytest.raises(TableError, match=r"must lie in \[0, 1\)"):
        net_benefit(*data, [threshold])


def test_nobody_is_refused() -> None:
    """No patients, no benefit."""
    with pytest.raises(TableError, match="no patients"):
        net_benefit([], [], [0.2])
