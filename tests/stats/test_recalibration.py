"""Recalibration maps, and the correction for another prevalence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import special

from isthmus.errors import IsthmusWarning, TableError
from isthmus.stats import calibration
from isthmus.stats.recalibration import Recalibration, prior_shift, recalibrate

KINDS = ["logistic", "intercept", "temperature"]


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Risks that are too extreme by a factor of two and too high by 0.7 on the logit scale."""
    rng = np.random.default_rng(4)
    truth = rng.normal(-1.0, 1.0, 4000)
    return (rng.random(4000) < special.expit(truth)).astype(int), special.expit(2.0 * truth + 0.7)


def test_the_logistic_map_is_cox_recalibration(drawn):
    """Intercept and slope are those of the logistic regression of the outcome on logit(risk)."""
    y, p = drawn
    inside = np.clip(p, 0.001, 0.999)
    slope, intercept = calibration.calibration_slope(y, inside)
    found = recalibrate("logistic", y, p)
    assert (found.slope, found.intercept) == pytest.approx((slope.estimate, intercept.estimate), abs=1e-7)


def test_the_intercept_map_is_calibration_in_the_large(drawn):
    """The constant is the shift with logit(risk) as an offset."""
    y, p = drawn
    expected = calibration.calibration_in_the_large(y, np.clip(p, 0.001, 0.999)).estimate
    assert recalibrate("intercept", y, p).intercept == pytest.approx(expected, abs=1e-7)


def test_the_intercept_map_gives_the_observed_number_of_events(drawn):
    """After it the mean risk is the share of events."""
    y, p = drawn
    inside = np.clip(p, 0.001, 0.999)
    assert recalibrate("intercept", y, inside).apply(inside).mean() == pytest.approx(y.mean(), abs=1e-9)


def test_the_temperature_is_where_the_likelihood_is_largest(drawn):
    """No other slope without intercept has a smaller log-loss."""
    y, p = drawn
    inside = np.clip(p, 0.001, 0.999)
    found = recalibrate("temperature", y, inside)

    def loss(slope: float) -> float:
        q = special.expit(slope * special.logit(inside))
        return float(-np.mean(np.log(np.where(y == 1, q, 1 - q))))

    assert loss(found.slope) <= min(loss(found.slope + 1e-3), loss(found.slope - 1e-3))


def test_isotonic_is_that_of_scikit_learn(drawn):
    """The same rising map, kept as points."""
    from sklearn.isotonic import IsotonicRegression

    y, p = drawn
    twin = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    new = np.linspace(0, 1, 101)
    assert recalibrate("isotonic", y, p).apply(new) == pytest.approx(twin.predict(new), abs=1e-12)


@pytest.mark.parametrize("kind", [*KINDS, "isotonic"])
def test_a_map_survives_json_exactly(drawn, kind):
    """Through a JSON text and back: the same bits."""
    y, p = drawn
    found = recalibrate(kind, y, p)
    again = Recalibration.from_json(json.loads(json.dumps(found.to_json())))
    assert np.array_equal(again.apply(p), found.apply(p))


@pytest.mark.parametrize("kind", [*KINDS, "isotonic"])
def test_a_map_never_reverses_a_ranking(drawn, kind):
    """A higher risk stays the higher or becomes equal."""
    y, p = drawn
    assert (np.diff(recalibrate(kind, y, p).apply(np.linspace(0, 1, 500))) >= 0).all()


@pytest.mark.parametrize("kind", [*KINDS, "isotonic"])
def test_one_row_gets_the_bits_of_the_batch(drawn, kind):
    """A patient alone is recalibrated as among others."""
    y, p = drawn
    found = recalibrate(kind, y, p)
    assert np.array_equal(np.concatenate([found.apply(p[i : i + 1]) for i in range(20)]), found.apply(p)[:20])


@pytest.mark.parametrize("kind", KINDS)
def test_weights_count_rows(drawn, kind):
    """A weight of 2 is the row twice."""
    y, p = drawn[0][:200], drawn[1][:200]
    doubled = recalibrate(kind, np.r_[y, y[:50]], np.r_[p, p[:50]])
    weighted = recalibrate(kind, y, p, np.r_[np.full(50, 2.0), np.ones(150)])
    assert (weighted.intercept, weighted.slope) == pytest.approx((doubled.intercept, doubled.slope), abs=1e-8)


def test_predictions_that_fall_with_the_outcome_are_said(drawn):
    """A slope below 0 would reverse the model: the slope is 0, and the message says what that means."""
    y, p = drawn
    with pytest.warns(IsthmusWarning, match="every patient gets the same risk"):
        assert recalibrate("logistic", y, 1 - p).slope == 0.0


def test_predictions_that_separate_have_a_steepest_slope():
    """Where the likelihood has no maximum the slope stops at 20."""
    y = np.array([0, 0, 0, 1, 1, 1])
    assert recalibrate("logistic", y, np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8])).slope == 20.0


def test_isotonic_with_few_events_is_refused():
    """Below 100 patients in a class the map would be noise."""
    y = np.arange(150) % 2
    with pytest.raises(TableError, match=r"the smaller class has 75 training patients.*Use calibration = 'logistic'"):
        recalibrate("isotonic", y, np.linspace(0.1, 0.9, 150))


def test_isotonic_below_a_thousand_events_warns():
    """Between 100 and 1,000 it is done, with a warning."""
    y = np.arange(400) % 2
    with pytest.warns(IsthmusWarning, match="on 200 patients of the smaller class"):
        recalibrate("isotonic", y, np.linspace(0.1, 0.9, 400))


def test_one_class_is_an_error():
    """Nothing can be learned from patients who all had the event."""
    with pytest.raises(TableError, match="same outcome"):
        recalibrate("logistic", np.ones(5), np.full(5, 0.5))


def test_prior_shift_is_the_formula_of_the_odds():
    """odds x (pi / (1 - pi)) x ((1 - pi_s) / pi_s), to the last digits."""
    p, pi, pi_s = np.array([0.1, 0.5, 0.93]), 0.2, 0.5
    odds = p / (1 - p) * (pi / (1 - pi)) * ((1 - pi_s) / pi_s)
    found = prior_shift(np.column_stack([1 - p, p]), [1 - pi, pi], [1 - pi_s, pi_s])
    assert found[:, 1] == pytest.approx(odds / (1 + odds), rel=1e-14)


def test_prior_shift_recovers_the_posterior_of_three_classes():
    """Bayes' rule with known densities: the posterior under one set of priors becomes that under another."""
    rng = np.random.default_rng(2)
    density = rng.random((50, 3))
    one, other = np.array([1 / 3, 1 / 3, 1 / 3]), np.array([0.7, 0.2, 0.1])
    posterior = [density * prior / (density * prior).sum(axis=1, keepdims=True) for prior in (one, other)]
    assert prior_shift(posterior[0], other, one) == pytest.approx(posterior[1], rel=1e-13)
