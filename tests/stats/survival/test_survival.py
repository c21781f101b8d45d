"""Time to event: laws that hold whatever the data (the numbers themselves: tests/reference)."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats import roc
from isthmus.stats.survival.at_time import auc_at, brier_at, ipa_at
from isthmus.stats.survival.calibration import calibration_groups_at, calibration_slope, ici_at, pseudo_values
from isthmus.stats.survival.concordance import harrell_c, pairs, uno_c, weighted_concordance
from isthmus.stats.survival.cox import cox_regression
from isthmus.stats.survival.cox_lasso import (
    cox_lambda_sequence,
    fit_cox_path,
    held_out_deviance,
    partial_loglik,
)
from isthmus.stats.survival.decision_curve import net_benefit_at
from isthmus.stats.survival.kaplan_meier import kaplan_meier
from isthmus.stats.survival.log_rank import log_rank
from isthmus.stats.survival.maximally_selected import log_rank_scores, maximally_selected


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """60 patients with tied, censored times and a risk that matters."""
    rng = np.random.default_rng(7)
    risk = rng.normal(size=60)
    time = np.ceil(10 * rng.exponential(np.exp(-risk)))
    stop = np.ceil(10 * rng.exponential(2.0, size=60))
    return np.minimum(time, stop), (time <= stop).astype(int), risk


def test_without_censoring_kaplan_meier_is_the_share_left() -> None:
    """Nobody censored: the estimate is the share of patients whose time is larger."""
    time = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    curve = kaplan_meier(time, np.ones(8))
    np.testing.assert_allclose(curve.survival, [(time > t).mean() for t in curve.time], atol=1e-15)


def test_restricted_mean_without_censoring_is_the_mean_of_cut_times() -> None:
    """Nobody censored: the area under the curve up to 5 is the mean of min(time, 5)."""
    time = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    assert kaplan_meier(time, np.ones(8)).restricted_mean(5) == pytest.approx(np.minimum(time, 5).mean())


def test_the_log_log_interval_stays_inside_0_and_1(drawn: tuple[np.ndarray, ...]) -> None:
    """Both limits of the log-log interval lie within 0 and 1 and enclose the estimate."""
    curve = kaplan_meier(drawn[0], drawn[1], scale="log-log")
    inside = np.isfinite(curve.lower)
    assert np.all((curve.lower >= 0) & (curve.lower <= curve.survival) & (curve.survival <= curve.upper) | ~inside)


def test_concordance_of_a_time_without_censoring_is_kendalls_order() -> None:
    """A risk that is minus the time orders every pair rightly."""
    time = np.array([3.0, 1, 4, 1.5, 5, 9])
    assert harrell_c(time, np.ones(6), -time) == 1.0


def test_concordance_slow_twin(drawn: tuple[np.ndarray, ...]) -> None:
    """Harrell's C by looking at every pair in turn."""
    time, event, risk = drawn
    right = known = 0.0
    for i in range(60):
        for j in range(60):
            if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
                known += 1
                right += 1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0
    assert harrell_c(time, event, risk) == pytest.approx(right / known, abs=1e-12)


def test_weights_of_concordance_are_repeated_patients(drawn: tuple[np.ndarray, ...]) -> None:
    """A patient of weight 2 counts as two patients with the same time and risk."""
    time, event, risk = drawn
    times = np.random.default_rng(1).integers(0, 3, size=60)
    rows = np.repeat(np.arange(60), times)
    twice = weighted_concordance(*pairs(time, event, risk), times[None, :].astype(float))[0]
    assert twice == pytest.approx(harrell_c(time[rows], event[rows], risk[rows]), abs=1e-6)


def test_uno_without_censoring_is_harrell(drawn: tuple[np.ndarray, ...]) -> None:
    """Nobody censored: all weights are 1."""
    time, _, risk = drawn
    assert uno_c(time, np.ones(60), risk) == pytest.approx(harrell_c(time, np.ones(60), risk), abs=1e-12)


def test_auc_at_a_time_without_censoring_is_the_auc(drawn: tuple[np.ndarray, ...]) -> None:
    """Nobody censored: cases and controls at a time are two plain classes."""
    time, _, risk = drawn
    assert auc_at(time, np.ones(60), risk, 8.0) == pytest.approx(roc.auc(time <= 8, risk), abs=1e-12)


def test_brier_without_censoring_is_the_squared_error(drawn: tuple[np.ndarray, ...]) -> None:
    """Nobody censored: the mean squared error of the probability."""
    time, _, risk = drawn
    p = 1 / (1 + np.exp(-risk))
    assert brier_at(time, np.ones(60), p, 8.0) == pytest.approx(np.mean((p - (time <= 8)) ** 2), abs=1e-12)


def test_ipa_of_the_same_probability_for_everybody_is_0(drawn: tuple[np.ndarray, ...]) -> None:
    """Giving everybody the Kaplan-Meier probability is worth nothing."""
    time, event, _ = drawn
    p = np.full(60, 1 - kaplan_meier(time, event).at(8.0))
    assert ipa_at(time, event, p, 8.0) == pytest.approx(0.0, abs=1e-12)


def test_pseudo_values_slow_twin(drawn: tuple[np.ndarray, ...]) -> None:
    """Leaving out each patient in turn and estimating anew gives the pseudo-values."""
    time, event, _ = drawn
    whole = 1 - kaplan_meier(time, event).at(8.0)
    slow = [60 * whole - 59 * (1 - kaplan_meier(np.delete(time, i), np.delete(event, i)).at(8.0)) for i in range(60)]
    np.testing.assert_allclose(pseudo_values(time, event, 8.0), slow, atol=1e-12)


def test_the_fitted_model_has_slope_1(drawn: tuple[np.ndarray, ...]) -> None:
    """On the patients it was fitted on, a Cox model's calibration slope is 1."""
    time, event, risk = drawn
    fit = cox_regression(risk[:, None], time, event)
    p = fit.baseline.event_probability(fit.linear_predictor(risk[:, None]), [8.0])[:, 0]
    assert calibration_slope(time, event, p).estimate == pytest.approx(1.0, abs=1e-5)


def test_calibration_groups_hold_everybody(drawn: tuple[np.ndarray, ...]) -> None:
    """The groups of a calibration table are all patients."""
    time, event, risk = drawn
    assert calibration_groups_at(time, event, 1 / (1 + np.exp(-risk)), 8.0)["n"].sum() == 60


def test_ici_of_few_predictions_is_not_computed(drawn: tuple[np.ndarray, ...]) -> None:
    """With three different predictions nothing is smoothed, and it says so."""
    time, event, risk = drawn
    _, why = ici_at(time, event, np.digitize(risk, [-0.5, 0.5]) / 4 + 0.2, 8.0)
    assert "fewer than" in why


def test_net_benefit_without_censoring_counts_patients(drawn: tuple[np.ndarray, ...]) -> None:
    """Nobody censored: true and false positives over n."""
    time, _, risk = drawn
    p = 1 / (1 + np.exp(-risk))
    had, treated = time <= 8, p >= 0.4
    wanted = (treated & had).mean() - (treated & ~had).mean() * 0.4 / 0.6
    assert net_benefit_at(time, np.ones(60), p, [0.4], 8.0)["model"][0] == pytest.approx(wanted, abs=1e-12)


def test_log_rank_scores_add_up_to_nothing(drawn: tuple[np.ndarray, ...]) -> None:
    """The scores are martingale residuals: their sum is 0."""
    assert log_rank_scores(drawn[0], drawn[1]).sum() == pytest.approx(0.0, abs=1e-10)


def test_corrected_p_of_the_best_cut_does_not_mislead() -> None:
    """Under no relation the corrected p is below 0.05 in no more than about 5 % of draws; the naive one far more often."""
    rng = np.random.default_rng(3)
    corrected, naive = [], []
    for _ in range(200):
        time, score = rng.exponential(size=60), rng.normal(size=60)
        found = maximally_selected(time, np.ones(60), score)
        corrected.append(found.p < 0.05)
        naive.append(log_rank(time, np.ones(60), score > found.cut).p < 0.05)
    assert np.mean(corrected) < 0.1 < np.mean(naive)


def test_the_path_without_penalty_is_the_unpenalised_model(drawn: tuple[np.ndarray, ...]) -> None:
    """At a vanishing penalty LASSO-Cox gives Breslow's coefficients."""
    time, event, risk = drawn
    X = np.column_stack([risk, np.random.default_rng(2).normal(size=60)])
    path = fit_cox_path(X, time, event, [0.1, 1e-9])
    wanted = cox_regression(X, time, event, ties="breslow").coefficients
    np.testing.assert_allclose(path.coefficients[-1], wanted, atol=1e-6)


def test_first_penalty_of_the_sequence_keeps_nothing(drawn: tuple[np.ndarray, ...]) -> None:
    """The largest penalty is the smallest at which all coefficients are zero."""
    time, event, risk = drawn
    X = np.column_stack([risk, np.random.default_rng(2).normal(size=60)])
    largest = cox_lambda_sequence(X, time, event, count=3)[0]
    path = fit_cox_path(X, time, event, [largest, 0.99 * largest])
    assert [int((b != 0).sum()) for b in path.coefficients] == [0, 1]


def test_held_out_deviance_is_a_difference_of_likelihoods(drawn: tuple[np.ndarray, ...]) -> None:
    """Everybody's partial likelihood less that of the patients fitted on."""
    time, event, risk = drawn
    held = np.arange(60) % 5 == 0
    found = held_out_deviance(risk[:, None], risk[~held][:, None], time, event, held)
    wanted = partial_loglik(risk, time, event) - partial_loglik(risk[~held], time[~held], event[~held])
    assert found[0] == pytest.approx(-2 * wanted / event[held].sum())


def test_separated_events_are_an_error() -> None:
    """A column that orders all events has no finite coefficient, and the error names it."""
    time = np.arange(1.0, 11.0)
    with pytest.raises(TableError, match="no finite estimate"):
        cox_regression(-time[:, None], time, np.ones(10))


def test_more_columns_than_patients_are_an_error() -> None:
    """An unpenalised model of more columns than patients is refused, with what to use."""
    with pytest.raises(TableError, match="lasso_cox"):
        cox_regression(np.random.default_rng(0).normal(size=(10, 12)), np.arange(1.0, 11.0), np.ones(10))
