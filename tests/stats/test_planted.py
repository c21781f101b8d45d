"""A planted signal has the strength that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.planted import draw_outcome, expected_auc, planted_risk
from isthmus.stats.roc import auc


@pytest.fixture
def score() -> np.ndarray:
    return np.random.default_rng(3).gamma(2.0, size=120)


@pytest.mark.parametrize("target", [0.5, 0.6, 0.75, 0.9, 0.97])
def test_the_mean_auc_is_the_one_asked_for(score, target):
    """Over 300 draws the AUC of the score averages to the planted one within three standard errors."""
    rng = np.random.default_rng(5)
    risk = planted_risk(score, auc=target, events=30)
    found = np.array([auc(draw_outcome(risk, events=30, rng=rng), score) for _ in range(300)])
    # the number of events is held fixed, which moves the mean by less than 0.005
    assert abs(found.mean() - target) < 3 * found.std(ddof=1) / np.sqrt(300) + 0.005


def test_the_number_of_events_is_exact(score):
    """Prevalence is not part of the lottery."""
    risk = planted_risk(score, auc=0.8, events=25)
    assert draw_outcome(risk, events=25, rng=np.random.default_rng(1)).sum() == 25


def test_expected_auc_is_the_mean_over_all_outcomes():
    """With three patients the expectation can be summed over all outcomes by hand."""
    s, r = np.array([0.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.7])
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    weights = {(i, j): r[i] * (1 - r[j]) for i, j in pairs}
    by_hand = sum(w for (i, j), w in weights.items() if s[i] > s[j]) / sum(weights.values())
    assert expected_auc(s, r) == pytest.approx(by_hand, abs=1e-15)


def test_the_unit_of_the_score_does_not_matter(score):
    """Metres or millimetres: the same risks."""
    one, other = planted_risk(score, auc=0.8, events=30), planted_risk(1000 * score - 7, auc=0.8, events=30)
    np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize(
    ("values", "target", "events", "message"),
    [
        (np.ones(20), 0.7, 5, "the same for every patient"),
        (np.arange(20.0), 1.0, 5, "from 0.5 to below 1"),
        (np.arange(20.0), 0.7, 20, "both classes must occur"),
        (np.arange(20.0) > 18, 0.95, 10, "2 different values"),
    ],
)
def test_what_cannot_be_planted_is_refused(values, target, events, message):
    """Each impossible wish says why."""
    with pytest.raises(TableError, match=message):
        planted_risk(values, auc=target, events=events)
