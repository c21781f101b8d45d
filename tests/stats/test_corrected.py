"""The corrected resampled t: against a hand calculation, and where it has no value."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isthmus.stats.corrected import corrected_interval, corrected_resampled_t, five_by_two_f

D = np.array([0.05, 0.01, -0.02, 0.04, 0.03])


def test_statistic_by_hand() -> None:
    """t = mean / sqrt((1/k + n_test/n_train) s^2), df = k - 1."""
    t = D.mean() / np.sqrt((1 / 5 + 1 / 4) * D.var(ddof=1))
    result = corrected_resampled_t(D, test_train_ratio=1 / 4)
    np.testing.assert_allclose([result.statistic, result.p, result.df], [t, 2 * stats.t.sf(t, 4), 4])


def test_without_the_correction_it_is_students_t() -> None:
    """With ratio 0 the plain paired t is left, which is why the correction matters."""
    assert corrected_resampled_t(D, test_train_ratio=0).p == pytest.approx(stats.ttest_1samp(D, 0).pvalue)


def test_interval_and_test_agree() -> None:
    """The interval of the differences just touches zero at the p-value's level."""
    p = corrected_resampled_t(D, test_train_ratio=0.25).p
    assert corrected_interval(D, test_train_ratio=0.25, confidence=1 - p).lower == pytest.approx(0, abs=1e-12)


def test_undefined_folds_are_left_out() -> None:
    """A fold with one class takes no part, and the number of folds is stated."""
    assert "over 5 folds" in corrected_resampled_t(np.r_[D, np.nan], test_train_ratio=0.25).method


@pytest.mark.parametrize(("d", "p"), [([0.0, 0.0, 0.0], 1.0), ([0.1, 0.1, 0.1], np.nan), ([0.1], np.nan), ([], np.nan)])
def test_degenerate_differences(d: list[float], p: float) -> None:
    """No difference anywhere has p 1; a constant difference or a single fold has no test."""
    np.testing.assert_equal(corrected_resampled_t(d, test_train_ratio=0.25).p, p)


@pytest.mark.parametrize(("s", "reason"), [([], "in no fold"), ([0.7], "fewer than two folds")])
def test_degenerate_scores(s: list[float], reason: str) -> None:
    """Too few folds have no interval."""
    assert reason in corrected_interval(s, test_train_ratio=0.25).method


def test_the_same_score_in_every_fold_has_no_interval() -> None:
    """Five AUCs of 1 do not make certainty: limits are missing and the reason is given."""
    interval = corrected_interval([1.0] * 5, test_train_ratio=0.25)
    assert (np.isnan(interval.lower), "same score in all 5 folds" in interval.method) == (True, True)


def test_five_by_two_by_hand() -> None:
    """F is the sum of the ten squared differences over twice the sum of the five variances; df 10 and 5."""
    d = np.array([[0.1, 0.02], [0.05, 0.08], [-0.01, 0.04], [0.06, 0.0], [0.03, 0.07]])
    within = ((d[:, 0] - d[:, 1]) ** 2 / 2).sum()
    f = (d**2).sum() / (2 * within)
    found = five_by_two_f(d)
    assert (found.statistic, found.p) == pytest.approx((f, stats.f.sf(f, 10, 5)))


def test_five_by_two_needs_its_design() -> None:
    """Other designs have no such test, and the method says so."""
    assert "five repeats of two folds" in five_by_two_f(np.zeros((5, 5))).method
