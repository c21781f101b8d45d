"""Partial dependence, individual curves, accumulated local effects."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.explain.partial_dependence import accumulated_local_effects, grid_of, partial_dependence

rng = np.random.default_rng(1)
ROWS = rng.normal(size=(2000, 2))


def test_the_partial_dependence_of_a_sum_is_the_term_plus_a_constant():
    """f = 2 x1 + x2^2: along x1 the mean curve is 2 x1 + mean(x2^2)."""
    found = partial_dependence(lambda x: 2 * x[:, 0] + x[:, 1] ** 2, ROWS, 0, np.array([-1.0, 0.0, 2.0]))
    np.testing.assert_allclose(found.mean, 2 * found.grid + (ROWS[:, 1] ** 2).mean(), atol=1e-12)


def test_individual_curves_show_what_the_mean_hides():
    """f = x1 x2: the mean curve is flat, the curve of each row has the slope of its x2."""
    found = partial_dependence(lambda x: x[:, 0] * x[:, 1], ROWS, 0, np.array([0.0, 1.0]))
    np.testing.assert_allclose(np.diff(found.individual, axis=1)[:, 0], ROWS[:, 1], atol=1e-12)


def test_local_effects_of_a_line_are_the_line():
    """f = 3 x1 gives the slope 3 between any two edges, with mean 0."""
    found = accumulated_local_effects(lambda x: 3 * x[:, 0], ROWS, 0, bins=8)
    np.testing.assert_allclose(np.diff(found.effect), 3 * np.diff(found.edges), atol=1e-12)
    middle = (found.effect[:-1] + found.effect[1:]) / 2
    assert middle @ found.counts == pytest.approx(0.0, abs=1e-9)


def test_local_effects_stay_where_the_patients_are():
    """With x2 = x1 and a model that is wild off the diagonal, the local effects do not see it and partial dependence does."""
    x = np.sort(rng.normal(size=400))
    rows = np.column_stack([x, x])

    def model(v):
        return v[:, 0] + 100.0 * (np.abs(v[:, 0] - v[:, 1]) > 2.0)

    local = accumulated_local_effects(model, rows, 0, bins=20)
    assert np.ptp(local.effect) == pytest.approx(np.ptp(x), rel=1e-9)
    assert np.ptp(partial_dependence(model, rows, 0, grid_of(x)).mean) > 20


def test_every_row_is_in_one_interval():
    """Counts add up, with ties too."""
    tied = np.column_stack([np.repeat([0.0, 1.0, 2.0], 10), np.zeros(30)])
    found = accumulated_local_effects(lambda x: x[:, 0], tied, 0, bins=5)
    assert found.counts.sum() == 30


def test_a_constant_column_has_no_effect():
    """One value: nothing to step between."""
    assert accumulated_local_effects(lambda x: x[:, 0], np.ones((5, 1)), 0).effect.tolist() == [0.0]
