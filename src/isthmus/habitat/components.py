"""Features of supervoxels or pixels made ready for clustering: complete, on one scale, without their redundancy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.stats.pca import principal_components

__all__ = ["by_brightness", "cluster", "complete", "from_zero_to_one", "reduced"]

Array = NDArray[np.float64]
_MOST_MISSING = 0.5  # a feature missing in more is left out
_EXPLAINED = 0.8


def complete(values: Array) -> Array:
    """Missing values take the lesion's median; features that are mostly missing, or the same everywhere, are left out."""
    finite = np.isfinite(values)
    some = values[:, finite.mean(axis=0) >= _MOST_MISSING] if len(values) else values[:, :0]
    filled = some.copy()
    for column in filled.T:
        missing = ~np.isfinite(column)
        column[missing] = np.median(column[~missing])
    varies = np.ptp(filled, axis=0) > 1e-12 * np.abs(filled).max(axis=0) if filled.size else np.zeros(0, dtype=bool)
    return np.ascontiguousarray(filled[:, varies])


def reduced(values: Array) -> Array:
    """The principal components of the standardised features that together explain 80 % of the variance, shape (n, components)."""
    if values.shape[1] == 0:
        return np.zeros((len(values), 1))
    found = principal_components(values)
    count = int(np.searchsorted(np.cumsum(found.share), _EXPLAINED - 1e-12)) + 1
    return np.ascontiguousarray((values - found.mean) / found.sd @ found.loadings[:, :count])


def from_zero_to_one(values: Array) -> Array:
    """Each feature minus its minimum, over its range."""
    if values.shape[1] == 0:
        return np.zeros((len(values), 1))
    low = values.min(axis=0)
    return np.ascontiguousarray((values - low) / (values.max(axis=0) - low))


def cluster(points: Array, clusters: int, *, starts: int, seed: int) -> tuple[NDArray[Any], Array, float]:
    """k-means: cluster of each point (from 0), centres, sum of squared distances."""
    return _core.kmeans(points, clusters, starts, 300, seed)


def by_brightness(found: NDArray[Any], intensity: Array, weights: Array | None = None) -> NDArray[np.int32]:
    """The number each cluster gets, from 1: clusters ascend by their mean intensity, so that numbers (and colours) can be read."""
    weights = np.ones(len(found)) if weights is None else weights
    total = np.bincount(found, weights)
    mean = np.bincount(found, weights * np.nan_to_num(intensity)) / np.where(total > 0, total, 1)
    number = np.empty(len(total), dtype=np.int32)
    number[np.argsort(mean, kind="stable")] = np.arange(1, len(total) + 1)
    return number
