"""Principal components, beside R's (tests/reference)."""

from __future__ import annotations

import numpy as np

from isthmus.stats.pca import principal_components


def drawn() -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.normal(size=(30, 3)) @ rng.normal(size=(3, 8)) + 0.1 * rng.normal(size=(30, 8))


def test_the_largest_loading_is_positive():
    """Of every component, whatever sign the decomposition gave it."""
    loadings = principal_components(drawn()).loadings
    assert (loadings[np.argmax(np.abs(loadings), axis=0), np.arange(loadings.shape[1])] > 0).all()


def test_turning_columns_round_turns_the_loadings_only():
    """A column with the other sign changes its own loading's sign, and not the variances."""
    X = drawn()
    a, b = principal_components(X), principal_components(X * np.r_[1, -1, np.ones(6)])
    np.testing.assert_allclose(a.sdev, b.sdev, rtol=1e-10)


def test_a_constant_column_has_no_part():
    """Loading 0, and the others as without it."""
    X = drawn()
    with_constant = principal_components(np.insert(X, 3, 5.0, axis=1))
    np.testing.assert_allclose(
        np.delete(with_constant.loadings, 3, axis=0), principal_components(X).loadings, atol=1e-9
    )


def test_more_columns_than_rows_give_rows_less_one():
    """Centred rows span one dimension less than their number."""
    assert principal_components(np.random.default_rng(0).normal(size=(6, 20))).loadings.shape == (20, 5)
