"""The screen of columns by time to an event."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.select.univariate_cox import UnivariateCoxSelector
from isthmus.stats.survival.cox import cox_regression
from isthmus.stats.survival.log_rank import log_rank
from isthmus.stats.survival.screen import cox_screen
from isthmus.table.target import time_to_event


@pytest.fixture(scope="module")
def followed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """60 patients with many tied times, three columns: one that tells, noise, and one that never varies."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 3))
    X[:, 2] = 7.0
    time = np.ceil(8 * rng.exponential(size=60) * np.exp(-0.9 * X[:, 0]))
    return X, time, rng.random(60) < 0.7


def test_it_is_the_score_test_of_cox_regression(followed) -> None:
    """Column by column, with Efron's ties, that of the fitted model (which is held against R)."""
    X, time, event = followed
    found = cox_screen(X, time, event).statistic[:2]
    wanted = [cox_regression(X[:, [j]], time, event, ties="efron").score for j in range(2)]
    assert found == pytest.approx(wanted, rel=1e-9)


def test_of_two_groups_without_ties_it_is_the_log_rank_test(followed) -> None:
    """The statistic of the log-rank test."""
    X, _, event = followed
    group, time = (X[:, 0] > 0).astype(int), np.arange(60.0) + 1
    assert cox_screen(group[:, None], time, event).statistic[0] == pytest.approx(
        log_rank(time, event, group).statistic, rel=1e-9
    )


def test_a_constant_column_says_nothing(followed) -> None:
    """Its p is 1."""
    assert cox_screen(*followed).p[2] == 1.0


def test_without_events_nothing_can_be_told(followed) -> None:
    """An error, not a table of ones."""
    X, time, event = followed
    with pytest.raises(TableError, match="no patient has the event"):
        cox_screen(X, time, np.zeros_like(event))


def test_the_step_keeps_what_tells(followed) -> None:
    """By p and by number."""
    X, time, event = followed
    frame = pd.DataFrame(X, columns=["tells", "noise", "flat"])
    for settings in ({"k": 1}, {"p_at_most": 0.001}):
        step = UnivariateCoxSelector(**settings).fit(frame, time_to_event(event, time))
        assert step.get_feature_names_out().tolist() == ["tells"]


@pytest.mark.parametrize("settings", [{"k": 0}, {"p_at_most": 1}, {"adjust": "bh"}])
def test_wrong_settings_are_named(settings) -> None:
    """Each names itself."""
    with pytest.raises(PlanError, match=f"step 'univariate_cox': {next(iter(settings))} = "):
        UnivariateCoxSelector(**settings).check_settings()
