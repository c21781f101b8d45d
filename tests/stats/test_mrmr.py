"""Minimum redundancy, maximum relevance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f_oneway
from sklearn.metrics import mutual_info_score

from isthmus.stats.mrmr import mrmr
from isthmus.stats.mutual_information import three_bins

MEASURES = ["fcq", "mutual_information", "correlation"]


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Six columns: two informative, two noisy copies of them, two noise."""
    rng = np.random.default_rng(4)
    y = np.arange(80) % 2
    own = rng.normal(size=(80, 4)) + y[:, None] * np.array([1.5, 1.0, 0.0, 0.0])
    return np.column_stack([own, own[:, :2] + 0.3 * rng.normal(size=(80, 2))]), y


def slow(X: np.ndarray, y: np.ndarray, k: int, measure: str) -> list[int]:
    """The greedy rule from its words, every relevance and redundancy computed anew each time."""
    binned = three_bins(X)

    def relevance(j: int) -> float:
        if measure == "fcq":
            return float(f_oneway(X[y == 0, j], X[y == 1, j]).statistic)
        if measure == "mutual_information":
            return float(mutual_info_score(binned[:, j], y))
        return float(-0.5 * np.log(1 - np.corrcoef(X[:, j], y)[0, 1] ** 2))

    def shared(j: int, i: int) -> float:
        r = np.corrcoef(X[:, j], X[:, i])[0, 1]
        if measure == "fcq":
            return abs(float(r))
        if measure == "mutual_information":
            return float(mutual_info_score(binned[:, j], binned[:, i]))
        return float(-0.5 * np.log(1 - r**2))

    chosen: list[int] = []
    while len(chosen) < k:
        best, which = -np.inf, -1
        for j in set(range(X.shape[1])) - set(chosen):
            mean = np.mean([shared(j, i) for i in chosen]) if chosen else None
            score = relevance(j)
            if mean is not None:
                score = score / max(mean, 1e-3) if measure == "fcq" else score - mean
            if score > best:
                best, which = score, j
        chosen.append(which)
    return chosen


@pytest.mark.parametrize("measure", MEASURES)
def test_the_order_is_that_of_plain_loops(measure):
    """On six columns the whole order equals the slow twin's."""
    X, y = drawn()
    assert mrmr(X, y, 6, measure)[0] == slow(X, y, 6, measure)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_copy_comes_after_what_is_new(measure):
    """The noisy copy of the first column is not second, however relevant it is."""
    X, y = drawn()
    first, second = mrmr(X, y, 2, measure)[0]
    assert {first, second} not in ({0, 4}, {1, 5})


@pytest.mark.parametrize("measure", MEASURES)
def test_constant_columns_are_never_chosen(measure):
    """Asked for all six, the constant one is left out."""
    X, y = drawn()
    X[:, 3] = 2.0
    assert sorted(mrmr(X, y, 6, measure)[0]) == [0, 1, 2, 4, 5]
