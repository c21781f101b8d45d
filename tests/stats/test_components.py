"""Principal components for pictures: against scikit-learn, and that nothing of the other rows is learned."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from isthmus.stats.components import principal_components

RNG = np.random.default_rng(4)
TABLE = RNG.normal(size=(30, 8)) @ RNG.normal(size=(8, 8)) * 3 + 5
LEARN = np.arange(30) < 20


def test_scores_are_those_of_scikit_learn() -> None:
    """Up to the sign of each component, on rows learned from and others."""
    scaler = StandardScaler().fit(TABLE[LEARN])
    expected = PCA(2, svd_solver="full").fit(scaler.transform(TABLE[LEARN])).transform(scaler.transform(TABLE))
    np.testing.assert_allclose(np.abs(principal_components(TABLE, LEARN).scores), np.abs(expected), atol=1e-9)


def test_shares_are_those_of_scikit_learn() -> None:
    """The shares of variance of the rows learned from."""
    scaled = StandardScaler().fit_transform(TABLE[LEARN])
    expected = PCA(2).fit(scaled).explained_variance_ratio_
    np.testing.assert_allclose(principal_components(TABLE, LEARN).share, expected, atol=1e-9)


def test_other_rows_teach_nothing() -> None:
    """Rows learned from lie where they lay, whatever the others are."""
    changed = np.where(LEARN[:, None], TABLE, 1e6)
    np.testing.assert_array_equal(
        principal_components(changed, LEARN).scores[LEARN], principal_components(TABLE, LEARN).scores[LEARN]
    )


def test_missing_and_constant_columns() -> None:
    """A column without values, one that does not vary and one with gaps: the first two are left out."""
    table = np.column_stack([TABLE, np.full(30, np.nan), np.ones(30)])
    table[3, 0] = np.nan
    found = principal_components(table, LEARN)
    assert (found.columns, np.isnan(found.scores).any()) == (8, False)


def test_an_odd_value_is_drawn_in() -> None:
    """Beyond the limit a value counts as the limit."""
    odd, odder = TABLE.copy(), TABLE.copy()
    odd[25], odder[25] = 1e9, 1e12
    scores = [principal_components(table, LEARN).scores[25] for table in (odd, odder)]
    assert scores[0] == pytest.approx(scores[1])


def test_one_column_has_a_second_component_of_zeros() -> None:
    """There are always two columns of scores."""
    assert (principal_components(TABLE[:, :1], LEARN).scores[:, 1] == 0).all()
