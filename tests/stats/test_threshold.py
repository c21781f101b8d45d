"""Threshold rules: what they promise holds on the rows they saw, ties and edges included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.errors import PlanError, TableError
from isthmus.stats.classification import count, sensitivity, specificity
from isthmus.stats.threshold import choose_threshold

# a loaded machine is no failure
relaxed = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

samples = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=30).filter(
    lambda rows: 0 < sum(y for y, _ in rows) < len(rows)
)


def rates(y: np.ndarray, p: np.ndarray, t: float) -> tuple[float, float]:
    table = count(y, p >= t)
    return float(sensitivity(table)), float(specificity(table))


@relaxed
@given(samples)
def test_youden_is_the_best_of_all_thresholds(rows: list[tuple[bool, int]]) -> None:
    """No observed threshold has a larger J, and none with the same J a higher sensitivity."""
    y, p = np.array(rows, dtype=float).T
    p = p / 8
    all_rates = [(round(sum(r), 9), r[0]) for r in (rates(y, p, t) for t in np.unique(p))]
    chosen = rates(y, p, choose_threshold(y, p, "youden"))
    assert (round(sum(chosen), 9), chosen[0]) == max(all_rates)


@relaxed
@given(samples, st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_target_sensitivity_is_reached_and_the_next_threshold_misses_it(
    rows: list[tuple[bool, int]], target: float
) -> None:
    """The highest threshold that reaches the sensitivity: one step higher falls short."""
    y, p = np.array(rows, dtype=float).T
    t = choose_threshold(y, p, {"sensitivity": target})
    higher = p[p > t]
    missed = not higher.size or rates(y, p, higher.min())[0] < target
    assert (rates(y, p, t)[0] >= target, missed) == (True, True)


@relaxed
@given(samples, st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_target_specificity_is_reached(rows: list[tuple[bool, int]], target: float) -> None:
    """The specificity asked for is reached, above the largest value if need be."""
    y, p = np.array(rows, dtype=float).T
    assert rates(y, p, choose_threshold(y, p, {"specificity": target}))[1] >= target


def test_ties_in_j_go_to_the_higher_sensitivity() -> None:
    """Two thresholds with equal J: the lower one is taken."""
    assert choose_threshold([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], "youden") == 0.2


def test_prevalence_rule() -> None:
    """The share of events."""
    assert choose_threshold([0, 0, 0, 1], [0.1, 0.2, 0.3, 0.4], "prevalence") == 0.25


def test_cost_ratio_rule() -> None:
    """A missed event four times as bad as a false alarm: one in five."""
    assert choose_threshold([0, 1], [0.1, 0.2], {"cost_ratio": 4}) == pytest.approx(0.2)


def test_fixed_threshold_needs_no_classes() -> None:
    """A fixed probability is itself, whatever the rows."""
    assert choose_threshold([1, 1], [0.1, 0.2], 0.3) == 0.3


def test_constant_score_calls_everybody() -> None:
    """With one value there is one threshold: it."""
    assert choose_threshold([0, 1, 1], [0.4, 0.4, 0.4], "youden") == 0.4


@pytest.mark.parametrize("rule", ["yuden", {"sens": 0.9}, {}, {"sensitivity": 0.9, "specificity": 0.9}, True, None])
def test_unknown_rules_name_the_known_ones(rule: object) -> None:
    """A rule that does not exist is answered with those that do."""
    with pytest.raises(PlanError, match=r'is not a rule\. Known: "youden", "prevalence"'):
        choose_threshold([0, 1], [0.1, 0.2], rule)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", [0.0, 1, 1.5, {"sensitivity": 0}, {"specificity": 1.2}, {"cost_ratio": 0}])
def test_numbers_out_of_range_are_refused(rule: object) -> None:
    """A threshold or target outside its range is an error of the plan."""
    with pytest.raises(PlanError, match=r"\[validate\] threshold"):
        choose_threshold([0, 1], [0.1, 0.2], rule)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", ["youden", "prevalence", {"sensitivity": 0.9}])
def test_one_class_is_refused(rule: str | dict[str, float]) -> None:
    """Nothing can be chosen between one class."""
    with pytest.raises(TableError, match="needs patients with and without the event; there are 2 and 0"):
        choose_threshold([1, 1], [0.1, 0.2], rule)
