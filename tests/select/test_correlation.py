"""The correlation filter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.select.correlation import CorrelationFilter


def slow(frame: pd.DataFrame, threshold: float, method: str) -> set[str]:
    """The rule in plain loops: visit columns from the largest mean |r|; drop one that has a living partner above the threshold."""
    related = frame.corr(method=method).abs().to_numpy()
    p = len(related)
    mean = [(sum(related[i]) - 1) / (p - 1) for i in range(p)]
    alive = set(range(p))
    for i in sorted(range(p), key=lambda i: (-round(mean[i], 10), -i)):
        if any(j != i and related[i, j] > threshold for j in alive):
            alive.discard(i)
    return {frame.columns[i] for i in range(p) if i not in alive}


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_it_follows_the_rule_in_plain_loops(method):
    """On drawn tables with correlated groups the same columns go as in the slow twin."""
    rng = np.random.default_rng(8)
    base = rng.normal(size=(50, 6))
    values = np.c_[base, base[:, [0, 0, 1, 2, 2, 2]] + 0.3 * rng.normal(size=(50, 6))]
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(12)])
    assert set(CorrelationFilter(0.8, method).fit(frame).dropped_) == slow(frame, 0.8, method)


def test_nothing_above_the_threshold_is_left():
    """After the filter no two columns are correlated above the threshold."""
    rng = np.random.default_rng(9)
    frame = pd.DataFrame(rng.normal(size=(40, 5)) @ rng.normal(size=(5, 30))).set_axis(
        [f"x{i}" for i in range(30)], axis=1
    )
    left = CorrelationFilter(0.7).fit_transform(frame).corr().abs().to_numpy()
    assert left[~np.eye(len(left), dtype=bool)].max() <= 0.7


def test_of_two_copies_the_later_goes():
    """A tie in the mean |r| is broken by position, and the reason names the partner."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=20)
    frame = pd.DataFrame({"a": a, "b": 2 * a, "c": rng.normal(size=20)})
    assert CorrelationFilter().fit(frame).dropped_ == {"b": "|r| = 1.000 with a"}


def test_a_constant_column_is_correlated_with_nothing():
    """No variance: no correlation, no division by zero."""
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [5.0, 5.0, 5.0]})
    assert CorrelationFilter().fit(frame).dropped_ == {}


def test_the_order_of_rows_does_not_matter():
    """Shuffled rows, same columns."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(30, 4)) @ rng.normal(size=(4, 20))).set_axis(
        [f"x{i}" for i in range(20)], axis=1
    )
    shuffled = frame.iloc[rng.permutation(30)]
    assert set(CorrelationFilter(0.6).fit(frame).dropped_) == set(CorrelationFilter(0.6).fit(shuffled).dropped_)
