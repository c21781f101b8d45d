"""The unsupervised filters: near-zero variance, variance inflation, correlation by other rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.select.correlation import CorrelationFilter
from isthmus.select.correlation_relevance import CorrelationRelevanceFilter
from isthmus.select.near_zero_variance import NearZeroVarianceFilter
from isthmus.select.vif import VifFilter
from isthmus.stats.vif import vif


def test_near_zero_variance_follows_both_conditions():
    """A column goes that is dominated by one value and has few distinct ones; each alone is not enough."""
    n = 100
    rare = np.zeros(n)
    rare[:3] = 1.0
    many = np.zeros(n)
    many[:30] = np.arange(1, 31)
    frame = pd.DataFrame({"rare": rare, "many": many, "even": np.arange(n) % 2.0, "constant": np.ones(n)})
    assert NearZeroVarianceFilter().fit(frame).dropped_ == {
        "rare": "97 of 100 rows have one value, 3 the next",
        "constant": "constant in the training rows",
    }


def related_table(n: int = 60, p: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(n, 5)) @ rng.normal(size=(5, p)) + 0.4 * rng.normal(size=(n, p))
    return pd.DataFrame(values, columns=[f"x{i}" for i in range(p)])


def slow_vif(frame: pd.DataFrame, threshold: float) -> list[str]:
    """The rule in plain loops: drop the largest, compute every VIF anew."""
    left = list(frame.columns)
    while len(left) > 1:
        values = np.round(vif(frame[left].to_numpy()), 8)
        worst = max(range(len(left)), key=lambda i: (values[i], i))
        if values[worst] <= threshold:
            break
        left.pop(worst)
    return left


@pytest.mark.parametrize("threshold", [2.0, 5.0, 10.0])
def test_vif_follows_the_rule_in_plain_loops(threshold):
    """The same columns stay as in the slow twin."""
    frame = related_table()
    assert VifFilter(threshold).fit(frame).get_feature_names_out().tolist() == slow_vif(frame, threshold)


def test_vif_takes_more_columns_than_rows():
    """Combinations of earlier columns go first; of what stays no VIF is above the threshold."""
    frame = related_table(20, 50)
    left = VifFilter(5.0).fit_transform(frame)
    assert vif(left.to_numpy()).max() <= 5.0


def test_vif_of_two_copies_the_later_goes():
    """A copy is a combination of the column before it."""
    frame = related_table(40, 3).assign(copy=lambda f: 2 * f["x0"] + 1)
    assert VifFilter().fit(frame).dropped_["copy"] == "a combination of columns before it"


def test_keep_first_keeps_the_first():
    """Of a chain a - b - c of correlated columns the first stays, and what is only related to one that went."""
    rng = np.random.default_rng(0)
    a, noise = rng.normal(size=(2, 300))
    frame = pd.DataFrame({"a": a, "b": a + 0.6 * noise, "c": a + 1.6 * noise})
    assert list(CorrelationFilter(0.8, rule="keep_first").fit(frame).dropped_) == ["b"]


def test_the_more_relevant_of_a_pair_stays():
    """The noisy copy goes, though it stands first."""
    rng = np.random.default_rng(1)
    y = np.arange(60) % 2
    good = y + 0.5 * rng.normal(size=60)
    frame = pd.DataFrame({"noisy": good + 0.2 * rng.normal(size=60), "good": good, "other": rng.normal(size=60)})
    step = CorrelationRelevanceFilter(0.8).fit(frame, y)
    assert step.dropped_ == {"noisy": step.dropped_["noisy"]}
    assert step.dropped_["noisy"].endswith("with good")


def test_the_rule_that_looks_at_the_outcome_is_another_step():
    """`correlation` never sees the outcome, and says where the rule is."""
    with pytest.raises(PlanError, match="it is the step 'correlation_relevance'"):
        CorrelationFilter(rule="keep_relevant").check_settings()  # type: ignore[arg-type]
