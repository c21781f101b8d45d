"""Variance inflation, beside R's (tests/reference)."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.vif import model_vif, vif


def test_it_is_one_over_one_minus_r_squared():
    """Each number equals 1 / (1 - R²) of a least-squares fit on the other columns."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4)) @ rng.normal(size=(4, 4))
    expected = []
    for j in range(4):
        design = np.column_stack([np.ones(40), np.delete(x, j, axis=1)])
        residual = x[:, j] - design @ np.linalg.lstsq(design, x[:, j], rcond=None)[0]
        expected.append(x[:, j].var() / residual.var())
    np.testing.assert_allclose(vif(x), expected, rtol=1e-9)


def test_a_term_of_several_coefficients_does_not_depend_on_their_coding():
    """The GVIF of a three-level category is the same for two codings of it."""
    rng = np.random.default_rng(1)
    level = rng.integers(0, 3, 60)
    number = level + rng.normal(size=60)
    one = np.column_stack([level == 1, level == 2, number]).astype(float)
    other = np.column_stack([level == 0, (level == 0) | (level == 2), number]).astype(float)
    found = [model_vif(np.cov(x, rowvar=False), [[0, 1], [2]]) for x in (one, other)]
    np.testing.assert_allclose(*found, rtol=1e-9)


def test_a_combination_of_others_is_refused():
    """Its VIF is infinite."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 2))
    with pytest.raises(TableError, match="combination of others"):
        vif(np.column_stack([x, x.sum(axis=1)]))


def test_more_columns_than_rows_are_refused():
    """Every column is then a combination of the others."""
    with pytest.raises(TableError, match="5 rows for 8 columns"):
        vif(np.random.default_rng(3).normal(size=(5, 8)))
