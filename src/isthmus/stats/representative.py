"""One number for many related columns: the first principal component, or a one-dimensional UMAP.

Both know how to place a new patient without looking at the others. The UMAP value of a category that is not dominated by
one factor depends on the seed and on the order of the rows (`representative_stability` measures how much), so it is a
picture of these patients rather than a property of each; the component is the default for models.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from isthmus.errors import IsthmusError
from isthmus.stats.binary import Array
from isthmus.stats.pca import principal_components
from isthmus.stats.seeds import child_seed

__all__ = [
    "STABLE",
    "ComponentAxis",
    "RepresentativeMethod",
    "UmapAxis",
    "component_axis",
    "representative_stability",
    "umap_axis",
]

RepresentativeMethod = Literal["pca", "umap"]

STABLE = 0.9
"""A median |Spearman| below this says that the value depends on the seed and the order of the rows."""


class Axis(Protocol):
    """Something that gives every row of a table one number."""

    def place(self, values: Array) -> Array: ...


@dataclass(frozen=True, eq=False)
class ComponentAxis:
    """The first principal component: the mean, sd and loading of each column, all of shape (p,)."""

    mean: Array
    sd: Array
    loading: Array

    def place(self, values: Array) -> Array:
        """The score of each row of (n, p); the same bits for a row alone and in a batch."""
        standard = (np.ascontiguousarray(values, dtype=np.float64) - self.mean) / self.sd
        score: Array = (standard * self.loading).sum(axis=1)
        return score


@dataclass(frozen=True, eq=False)
class UmapAxis:
    """A one-dimensional UMAP of some rows, and how to place other rows in it.

    Parameters
    ----------
    mean, sd : arrays, shape (p,)
    rows : array, shape (n, p)
        The rows it was made from, standardised.
    position : array, shape (n,)
        Where UMAP put them, turned so that the correlation with the first principal component is positive.
    neighbours : int
    """

    mean: Array
    sd: Array
    rows: Array
    position: Array
    neighbours: int

    def place(self, values: Array) -> Array:
        """The weighted mean position of each row's nearest rows among those the axis was made from: shape (m,).

        The weights are UMAP's memberships, exp(-(d - rho) / sigma) with rho the smallest distance above 0 and sigma such
        that they sum to log2(neighbours). UMAP's own transform starts from such a mean and then moves the point at random;
        this one needs no library and gives the same bits on every machine.
        """
        standard = (np.ascontiguousarray(values, dtype=np.float64) - self.mean) / self.sd
        return np.array([self._place_one(row) for row in standard], dtype=np.float64)

    def _place_one(self, row: Array) -> float:
        distance = np.sqrt(((self.rows - row) ** 2).sum(axis=1))
        nearest = np.argsort(distance, kind="stable")[: self.neighbours]
        weight = _memberships(distance[nearest])
        return float((weight * self.position[nearest]).sum() / weight.sum())


def component_axis(columns: ArrayLike) -> ComponentAxis:
    """The first principal component of complete columns (n, p); its largest loading is positive."""
    found = principal_components(columns)
    loading = found.loadings[:, 0] if found.loadings.shape[1] else np.zeros(len(found.mean))
    return ComponentAxis(found.mean, found.sd, np.ascontiguousarray(loading))


def umap_axis(columns: ArrayLike, *, seed: int, neighbours: int = 15, min_dist: float = 0.1) -> UmapAxis:
    """A UMAP of complete columns (n, p) to one dimension, from a spectral start.

    Parameters
    ----------
    columns : array, shape (n, p)
        Standardised inside.
    seed : int
        The same rows in the same order with the same seed give the same bits on one machine.
    neighbours : int
        Fewer where there are not so many rows.
    min_dist : float

    Raises
    ------
    IsthmusError
        umap-learn is not installed.

    References
    ----------
    McInnes, Healy and Melville, arXiv:1802.03426.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)  # it says that it does without TensorFlow
            from umap import UMAP
    except ImportError as exc:
        raise IsthmusError('UMAP needs the package umap-learn. Install it: pip install "isthmus[ml]"') from exc
    values = np.asarray(columns, dtype=np.float64)
    first = component_axis(values)
    standard = (values - first.mean) / first.sd
    count = min(neighbours, len(values) - 1)
    model = UMAP(n_components=1, n_neighbors=count, min_dist=min_dist, init="spectral", random_state=seed, n_jobs=1)
    position = np.asarray(model.fit_transform(standard), dtype=np.float64)[:, 0]
    if float(((position - position.mean()) * first.place(values)).sum()) < 0:
        position = -position
    return UmapAxis(first.mean, first.sd, np.ascontiguousarray(standard), position, count)


def representative_stability(columns: ArrayLike, *, seed: int, runs: int = 10, neighbours: int = 15) -> float:
    """Median |Spearman| between a UMAP value and that of other seeds with the rows in another order.

    Parameters
    ----------
    columns : array, shape (n, p)
    seed : int
    runs : int
        Each with its own seed and order. Below `STABLE` the value is not a property of the patients.
    neighbours : int
    """
    values = np.asarray(columns, dtype=np.float64)
    reference = umap_axis(values, seed=seed, neighbours=neighbours).position
    found = []
    for run in range(runs):
        other = child_seed(seed, "stability", run)
        order: NDArray[np.intp] = np.random.default_rng(other).permutation(len(values))
        again = np.empty(len(values))
        again[order] = umap_axis(values[order], seed=other, neighbours=neighbours).position
        found.append(abs(float(stats.spearmanr(reference, again).statistic)))
    return float(np.median(found))


def _memberships(distance: Array) -> Array:
    """UMAP's weights of the nearest rows, from their distances in ascending order."""
    above = distance[distance > 0]
    if not above.size:
        return np.ones_like(distance)
    excess = np.maximum(distance - above[0], 0.0)
    target = math.log2(max(len(distance), 2))
    low, high = 0.0, math.inf
    sigma = 1.0
    for _ in range(64):
        total = float(np.exp(-excess / sigma).sum())
        if abs(total - target) < 1e-9:
            break
        if total > target:
            high = sigma
            sigma = (low + high) / 2
        else:
            low = sigma
            sigma = sigma * 2 if math.isinf(high) else (low + high) / 2
    weights: Array = np.exp(-excess / max(sigma, 1e-3 * float(distance.mean())))
    return weights
