"""Permutation importance."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.explain.permutation import permutation_importance

rng = np.random.default_rng(1)
ROWS = rng.normal(size=(200, 3))
ROWS[:, 2] = ROWS[:, 0]  # a copy


def importance(output, groups, score=None, permutations=50):
    truth = ROWS[:, 0] + ROWS[:, 2]
    loss = score or (lambda prediction: -float(np.mean((prediction - truth) ** 2)))
    return permutation_importance(output, loss, ROWS, [np.array(g) for g in groups], permutations=permutations, seed=2)


def test_a_column_the_model_ignores_has_importance_zero():
    """Shuffling what is not used changes nothing, exactly."""
    assert importance(lambda x: x[:, 0] + x[:, 2], [[1]])[0] == 0.0


def test_the_loss_of_squared_error_is_twice_the_variance():
    """For a perfect linear model the loss of shuffling a column is 2 beta^2 var (Gregorutti 2017), here beta = 1."""
    found = importance(lambda x: x[:, 0] + x[:, 2], [[0]], permutations=300)[0]
    assert found == pytest.approx(2 * ROWS[:, 0].var(), rel=0.03)


def test_copies_lose_more_together_than_apart():
    """The two copies shuffled together lose four times what one loses: apart, each stands in for the other."""
    alone, together = importance(lambda x: x[:, 0] + x[:, 2], [[0], [0, 2]])
    assert together == pytest.approx(4 * alone, rel=1e-9)


def test_the_rows_given_are_left_as_they_were():
    """Shuffling works on copies."""
    before = ROWS.copy()
    importance(lambda x: x[:, 0], [[0], [1]])
    assert np.array_equal(ROWS, before)
