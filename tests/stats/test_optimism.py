"""Optimism: a procedure that memorises is seen through, one that learns nothing is not corrected."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from isthmus.stats import roc
from isthmus.stats.optimism import bootstrap_optimism, summarise_optimism

Rows = np.ndarray


def _auc(y: np.ndarray, p: np.ndarray) -> float:
    return roc.auc(y, p)


def test_selection_on_noise_is_mostly_optimism() -> None:
    """The best ten of 200 noise columns look good on their own rows; corrected, they are near 0.5."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(60, 200)), np.repeat([0, 1], 30)

    def fit(rows: Rows) -> Callable[[Rows], np.ndarray]:
        labels = y[rows]
        shift = x[rows][labels == 1].mean(axis=0) - x[rows][labels == 0].mean(axis=0)
        best = np.argsort(-np.abs(shift))[:10]
        return lambda which: x[which][:, best] @ np.sign(shift[best])

    found = bootstrap_optimism(y, fit, {"auc": (_auc, 0.5)}, draws=60, seed=1)["auc"]
    assert found.apparent > 0.85
    assert found.plus < 0.65


def test_a_constant_rule_has_no_optimism() -> None:
    """A score that was fixed before has nothing to correct, up to the noise of the draws."""
    rng = np.random.default_rng(5)
    y = np.repeat([0, 1], 50)
    x = rng.normal(size=100) + y
    found = bootstrap_optimism(y, lambda _: lambda which: x[which], {"auc": (_auc, 0.5)}, draws=200, seed=1)["auc"]
    assert abs(found.optimism) < 0.01


def test_plus_by_hand() -> None:
    """.632+ of apparent 0.9 and 0.6 outside: overfitting 0.75, weight 0.632 / 0.724."""
    weight = 0.632 / (1 - 0.368 * 0.75)
    found = summarise_optimism(0.9, [(0.95, 0.8, 0.6)], no_information=0.5)
    assert found.plus == pytest.approx((1 - weight) * 0.9 + weight * 0.6)


def test_undefined_draws_are_counted() -> None:
    """A draw without both classes takes no part and is counted."""
    found = summarise_optimism(0.8, [(0.9, 0.8, 0.7), (float("nan"), 0.8, 0.7)])
    assert (found.draws, found.failed) == (1, 1)
