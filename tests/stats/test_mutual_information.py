"""Mutual information."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from isthmus.stats.mutual_information import binned_information, nearest_neighbour_information, three_bins


def drawn(n: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    y = np.arange(n) % classes
    return rng.normal(size=(n, 20)) + 0.7 * y[:, None] * rng.normal(size=20), y


@pytest.mark.parametrize(("n", "classes", "neighbours"), [(60, 2, 3), (130, 2, 3), (90, 3, 5)])
def test_nearest_neighbours_are_those_of_scikit_learn(n, classes, neighbours):
    """Without ties the noise plays no part, and the estimate is scikit-learn's."""
    X, y = drawn(n, classes)
    expected = mutual_info_classif(X, y, n_neighbors=neighbours, random_state=0)
    np.testing.assert_allclose(nearest_neighbour_information(X, y, neighbours=neighbours), expected, atol=1e-10)


def test_the_unit_of_a_column_does_not_matter():
    """Millimetres or metres: the same information."""
    X, y = drawn(80)
    np.testing.assert_allclose(
        nearest_neighbour_information(X * 1000, y), nearest_neighbour_information(X, y), atol=1e-12
    )


def test_a_column_does_not_depend_on_its_neighbours_in_the_table():
    """Ties are broken by the same noise in every column, so one column alone gives its value in the table."""
    X, y = drawn(70)
    X = np.round(X, 1)
    alone = nearest_neighbour_information(X[:, [5]], y)[0]
    assert alone == pytest.approx(nearest_neighbour_information(X, y)[5], abs=1e-12)


def test_a_constant_column_holds_none():
    """Zero, not a number made of noise."""
    X, y = drawn(50)
    X[:, 2] = 1.0
    assert nearest_neighbour_information(X, y)[2] == 0.0


def test_binned_information_is_that_of_the_table():
    """Over three bins the information is scikit-learn's mutual_info_score."""
    X, y = drawn(60)
    binned = three_bins(X)
    expected = [mutual_info_score(column, y) for column in binned.T]
    np.testing.assert_allclose(binned_information(binned, y), expected, atol=1e-12)


def test_three_bins_are_cut_half_an_sd_from_the_mean():
    """Below, between and above, the borders in the middle bin."""
    assert three_bins(np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]]))[:, 0].tolist() == [0, 0, 1, 2, 2]
