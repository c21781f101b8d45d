"""Calibration: perfect and distorted risks, weights against rows, few predictions, degenerate input."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats import calibration as cal


@pytest.fixture
def data() -> tuple[np.ndarray, np.ndarray]:
    """400 patients whose outcomes were drawn from the stated risks."""
    rng = np.random.default_rng(11)
    p = 1 / (1 + np.exp(-rng.normal(-0.5, 1.2, 400)))
    return (rng.uniform(size=400) < p).astype(int), p


def test_slope_undoes_a_distortion(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Doubling the logits halves the slope exactly."""
    y, p = data
    lp, _ = cal.linear_predictor(p)
    slope = cal.calibration_slope(y, p)[0].estimate
    assert cal.calibration_slope(y, 1 / (1 + np.exp(-2 * lp)))[0].estimate == pytest.approx(slope / 2, rel=1e-8)


def test_in_the_large_undoes_a_shift(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Shifting the logits by one shifts calibration in the large by minus one exactly."""
    y, p = data
    lp, _ = cal.linear_predictor(p)
    here = cal.calibration_in_the_large(y, p).estimate
    assert cal.calibration_in_the_large(y, 1 / (1 + np.exp(-lp - 1))).estimate == pytest.approx(here - 1, abs=1e-9)


def test_true_risks_are_calibrated(data: tuple[np.ndarray, np.ndarray]) -> None:
    """The interval of the slope covers 1 when the risks are the true ones."""
    slope, _ = cal.calibration_slope(*data)
    assert slope.lower < 1 < slope.upper


def test_weighted_fits_are_fits_of_the_drawn_rows(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Slope and intercept under weights equal those of the repeated rows."""
    y, p = data
    times = np.random.default_rng(2).integers(0, 3, y.size)
    lp, _ = cal.linear_predictor(p)
    ours = cal.weighted_slope(lp, y == 1, times[None, :].astype(float))
    rows = np.repeat(np.arange(y.size), times)
    slope, intercept = cal.calibration_slope(y[rows], p[rows])
    np.testing.assert_allclose([ours[0][0], ours[1][0]], [slope.estimate, intercept.estimate], rtol=1e-9)


def test_weighted_in_the_large_is_that_of_the_drawn_rows(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Calibration in the large under weights equals that of the repeated rows."""
    y, p = data
    times = np.random.default_rng(2).integers(0, 3, y.size)
    lp, _ = cal.linear_predictor(p)
    ours = cal.weighted_in_the_large(lp, y == 1, times[None, :].astype(float))[0]
    rows = np.repeat(np.arange(y.size), times)
    assert ours == pytest.approx(cal.calibration_in_the_large(y[rows], p[rows]).estimate, rel=1e-9)


def test_probabilities_of_zero_and_one_are_counted() -> None:
    """A probability of exactly 0 or 1 is moved, and the method says how many were."""
    y = [0, 1, 0, 1, 0, 1]
    assert "2 predictions of exactly 0 or 1" in cal.calibration_slope(y, [0, 0.4, 0.6, 1, 0.3, 0.2])[0].method


@pytest.mark.parametrize(
    ("y", "p", "reason"),
    [
        ([1, 1, 1], [0.1, 0.2, 0.3], "only one class"),
        ([], [], "only one class"),
        ([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3], "all predictions are the same"),
        ([0, 1], [0.2, 0.8], "separate the classes"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.9], "separate the classes"),
    ],
)
def test_slope_of_degenerate_input(y: list[int], p: list[float], reason: str) -> None:
    """Where there is no finite slope there is a reason instead."""
    slope, _ = cal.calibration_slope(y, p)
    assert (np.isnan(slope.estimate), reason in slope.method) == (True, True)


def test_in_the_large_of_one_class() -> None:
    """One class shifts without end: not computed."""
    assert "only one class" in cal.calibration_in_the_large([0, 0], [0.1, 0.2]).method


def test_observed_expected_by_hand() -> None:
    """Two events, 1.6 expected, interval on the log scale."""
    result = cal.observed_expected([0, 1, 1, 0], [0.1, 0.6, 0.7, 0.2])
    half = 1.959963984540054 * np.sqrt(0.5 / 2)
    np.testing.assert_allclose([result.estimate, result.upper], [1.25, 1.25 * np.exp(half)])


def test_few_distinct_predictions_are_grouped() -> None:
    """Fewer than 30 distinct values are grouped, not smoothed, and the method says so."""
    rng = np.random.default_rng(0)
    p = rng.choice([0.2, 0.5, 0.8], 90)
    assert "groups (too few distinct predictions" in cal.calibration_errors(rng.uniform(size=90) < p, p).method


def test_grouped_error_by_hand() -> None:
    """Two groups: 1/4 observed against 0.2, 3/4 against 0.8."""
    y = [0, 0, 0, 1, 1, 1, 1, 0]
    assert cal.calibration_errors(y, [0.2] * 4 + [0.8] * 4).ici == pytest.approx(0.05)


def test_errors_of_one_class() -> None:
    """One class has no calibration curve."""
    assert "only one class" in cal.calibration_errors([1, 1], [0.2, 0.3]).method


def test_curve_lies_between_zero_and_one(data: tuple[np.ndarray, np.ndarray]) -> None:
    """The drawn curve and its band are probabilities."""
    curve = cal.calibration_curve(*data)[["observed", "lower", "upper"]].to_numpy()
    assert 0 <= curve.min() <= curve.max() <= 1


def test_curve_of_few_predictions_is_empty() -> None:
    """Nothing is drawn through a handful of values."""
    assert len(cal.calibration_curve([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4])) == 0


def test_groups_hold_every_patient_once(data: tuple[np.ndarray, np.ndarray]) -> None:
    """The points of the figure stand for all patients."""
    assert cal.calibration_groups(*data)["n"].sum() == 400


def test_groups_of_one_value_are_one_group() -> None:
    """Tied predictions cannot be cut."""
    assert len(cal.calibration_groups([0, 1, 0], [0.4, 0.4, 0.4])) == 1


def test_hosmer_lemeshow_degrees_of_freedom_on_new_patients(data: tuple[np.ndarray, np.ndarray]) -> None:
    """On patients the model did not see no degree of freedom is spent."""
    assert cal.hosmer_lemeshow(*data, external=True).df == 10


def test_hosmer_lemeshow_of_certain_predictions() -> None:
    """A group predicted with certainty has no variance to divide by."""
    result = cal.hosmer_lemeshow([0, 1] * 10, [0.0] * 10 + list(np.linspace(0.1, 0.9, 10)))
    assert "not computed" in result.method


def test_scaled_brier_of_the_prevalence_is_zero() -> None:
    """Predicting the prevalence for everybody explains nothing."""
    assert cal.scaled_brier([0, 1, 0, 1], [0.5] * 4) == 0


def test_log_loss_of_certainty_is_finite() -> None:
    """A certain and wrong prediction costs much, not infinitely much."""
    assert cal.log_loss([1], [0.0]) == pytest.approx(-np.log(1e-12))


def test_scores_are_not_probabilities() -> None:
    """A score outside [0, 1] is refused."""
    with pytest.raises(TableError, match=r"outside \[0, 1\], the first is 1\.5"):
        cal.brier([0, 1], [0.2, 1.5])


def test_the_line_gives_the_observed_share_with_its_limits(data: tuple[np.ndarray, np.ndarray]) -> None:
    """The share at a risk and its limits are those of statsmodels' logistic regression on the logit (delta method)."""
    import statsmodels.api as sm

    y, p = data
    lp, _ = cal.linear_predictor(p)
    fitted = sm.GLM(y, sm.add_constant(lp), family=sm.families.Binomial()).fit(tol=1e-12)
    told = fitted.get_prediction([[1.0, cal.linear_predictor(0.2)[0]]]).summary_frame(alpha=0.05)
    line = cal.calibration_line(y, p)
    assert not isinstance(line, str)
    found = line.at(0.2)
    expected = told[["mean", "mean_ci_lower", "mean_ci_upper"]].iloc[0].tolist()
    assert [found.estimate, found.lower, found.upper] == pytest.approx(expected, abs=1e-7)


def test_there_is_no_line_through_one_class() -> None:
    """The reason is told instead."""
    assert cal.calibration_line([1, 1, 1], [0.2, 0.3, 0.9]) == "not computed: only one class"
