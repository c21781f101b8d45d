"""Two-by-two tables: rates, summaries and their intervals, with nobody in a cell too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats import classification as cl

# a loaded machine is no failure
relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

TABLE = cl.Counts(tp=12, fp=7, tn=30, fn=3)


@relaxed
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_counts_add_up(rows: list[tuple[bool, bool]]) -> None:
    """Every patient is in exactly one cell."""
    y, called = zip(*rows, strict=True)
    table = cl.count(y, called)
    assert table.tp + table.fp + table.tn + table.fn == len(rows)


@pytest.mark.parametrize("name", ["f1_score", "matthews_corrcoef", "balanced_accuracy_score", "accuracy_score"])
def test_summaries_are_scikit_learns(name: str) -> None:
    """F1, MCC, accuracy and balanced accuracy equal an independent implementation."""
    from sklearn import metrics

    y = [1] * 12 + [0] * 7 + [0] * 30 + [1] * 3
    called = [1] * 19 + [0] * 33
    ours = {
        "f1_score": cl.f1,
        "matthews_corrcoef": cl.mcc,
        "balanced_accuracy_score": cl.balanced_accuracy,
        "accuracy_score": cl.accuracy,
    }[name]
    assert float(ours(TABLE)) == pytest.approx(getattr(metrics, name)(y, called))


@pytest.mark.parametrize(("ours", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "exact")])
@pytest.mark.parametrize("part", [0, 3, 17, 20])
def test_intervals_are_scipys(part: int, ours: str, theirs: str) -> None:
    """Wilson and Clopper-Pearson equal an independent implementation, at the ends too."""
    result = cl.proportion_interval(part, 20, method=ours)  # type: ignore[arg-type]
    wanted = stats.binomtest(part, 20).proportion_ci(method=theirs)
    np.testing.assert_allclose([result.lower, result.upper], [wanted.low, wanted.high], atol=1e-12)


def test_proportion_of_nobody() -> None:
    """Nobody in the denominator: no number, and the reason."""
    result = cl.proportion_interval(0, 0)
    assert (np.isnan(result.estimate), result.method) == (True, "not computed: nobody in the denominator")


def test_rates_of_nobody_are_missing() -> None:
    """PPV is missing when nobody is called positive."""
    assert np.isnan(cl.ppv(cl.Counts(0, 0, 5, 5)))


def test_mcc_of_one_decision_is_zero() -> None:
    """Calling everybody positive has no correlation with the outcome."""
    assert float(cl.mcc(cl.Counts(5, 5, 0, 0))) == 0


def test_mcc_of_one_class_is_missing() -> None:
    """Without non-events there is nothing to correlate with."""
    assert np.isnan(cl.mcc(cl.Counts(5, 0, 0, 5)))


def test_arrays_of_draws_give_arrays() -> None:
    """A table of draws is computed draw by draw."""
    many = cl.Counts(*(np.array([v, 2 * v], dtype=float) for v in (12, 7, 30, 3)))
    np.testing.assert_allclose(cl.g_mean(many), float(cl.g_mean(TABLE)))


def test_likelihood_ratio_by_hand() -> None:
    """LR+ = sensitivity / (1 - specificity) with the log interval."""
    result = cl.likelihood_ratio_positive(TABLE)
    ratio = (12 / 15) / (7 / 37)
    half = 1.959963984540054 * np.sqrt(1 / 12 - 1 / 15 + 1 / 7 - 1 / 37)
    np.testing.assert_allclose(
        [result.estimate, result.lower, result.upper], [ratio, ratio * np.exp(-half), ratio * np.exp(half)]
    )


def test_negative_likelihood_ratio_by_hand() -> None:
    """LR- = (1 - sensitivity) / specificity."""
    assert cl.likelihood_ratio_negative(TABLE).estimate == pytest.approx((3 / 15) / (30 / 37))


def test_likelihood_ratio_with_an_empty_cell_has_no_interval() -> None:
    """No false positives: the ratio is infinite and has no interval."""
    result = cl.likelihood_ratio_positive(cl.Counts(5, 0, 5, 5))
    assert (result.estimate, np.isnan(result.lower)) == (np.inf, True)


def test_decisions_of_other_patients_are_refused() -> None:
    """One decision per patient."""
    with pytest.raises(TableError, match="3 outcomes but 2 decisions"):
        cl.count([0, 1, 1], [0, 1])


def test_f_beta_by_hand() -> None:
    """F2 of 8 hits, 4 misses, 6 false alarms is 5 x 8 / (5 x 8 + 4 x 4 + 6)."""
    table = cl.Counts(tp=8, fp=6, tn=20, fn=4)
    assert float(cl.f2(table)) == pytest.approx(40 / 62)


def test_kappa_of_chance_is_zero() -> None:
    """Decisions independent of the outcome agree as often as chance would."""
    assert float(cl.kappa(cl.Counts(tp=10, fp=20, tn=40, fn=20))) == pytest.approx(0.0)


def test_odds_ratio_is_the_ratio_of_likelihood_ratios() -> None:
    """The diagnostic odds ratio is LR+ over LR-."""
    table = cl.Counts(tp=30, fp=10, tn=50, fn=8)
    ratio = cl.likelihood_ratio_positive(table).estimate / cl.likelihood_ratio_negative(table).estimate
    assert cl.diagnostic_odds_ratio(table).estimate == pytest.approx(ratio)


@pytest.mark.parametrize("which", ["ppv", "npv"])
def test_predictive_values_at_the_observed_prevalence(which: str) -> None:
    """At the prevalence of the table Bayes' rule gives the table's own predictive values."""
    table = cl.Counts(tp=30, fp=10, tn=50, fn=8)
    at = getattr(cl, f"{which}_at_prevalence")(table, 38 / 98)
    assert at.estimate == pytest.approx(float(getattr(cl, which)(table)))


def test_predictive_value_falls_with_the_prevalence() -> None:
    """The same test is right less often, when positive, where the event is rare."""
    table = cl.Counts(tp=30, fp=10, tn=50, fn=8)
    rare, common = (cl.ppv_at_prevalence(table, p).estimate for p in (0.02, 0.5))
    assert rare < common
