"""k-means of the engine against scikit-learn and against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from isthmus import _core


def points(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (200, 4)) + 4 * rng.integers(0, 3, (200, 1))


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_inertia_is_no_worse_than_scikit_learn(k: int) -> None:
    """Twenty starts each: the same best partition, up to one part in a thousand."""
    found = _core.kmeans(points(), k, 20, 300, 7)[2]
    assert found <= KMeans(k, n_init=20, random_state=1).fit(points()).inertia_ * 1.001


def test_it_is_a_fixed_point() -> None:
    """Every point belongs to its nearest centre, every centre is the mean of its points, clusters are numbered as they appear."""
    x = points(2)
    labels, centres, inertia = _core.kmeans(x, 4, 3, 300, 1)
    away = ((x[:, None] - centres) ** 2).sum(axis=2)
    np.testing.assert_array_equal(labels, away.argmin(axis=1))
    np.testing.assert_allclose(centres, [x[labels == c].mean(axis=0) for c in range(4)])
    assert (inertia, list(dict.fromkeys(labels.tolist()))) == (pytest.approx(away.min(axis=1).sum()), [0, 1, 2, 3])


def test_the_seed_decides() -> None:
    """The same seed gives the same bits."""
    first, again = (_core.kmeans(points(3), 5, 2, 300, 9) for _ in range(2))
    np.testing.assert_array_equal(first[1], again[1])


def test_equal_points_do_not_divide_by_zero() -> None:
    """More clusters than different points."""
    labels, _, inertia = _core.kmeans(np.ones((6, 2)), 3, 2, 10, 1)
    assert (set(labels.tolist()) <= {0, 1, 2}, inertia) == (True, 0.0)


@pytest.mark.parametrize("k", [0, 7])
def test_as_many_clusters_as_points_at_most(k: int) -> None:
    """Refused."""
    with pytest.raises(ValueError, match="1 to n"):
        _core.kmeans(np.ones((6, 2)), k, 2, 10, 1)
