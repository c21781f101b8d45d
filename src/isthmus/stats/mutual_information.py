"""Mutual information between each column and the class: by nearest neighbours, or over three bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.constant import constant_columns

__all__ = ["binned_information", "nearest_neighbour_information", "three_bins"]

_NOISE = 1e-10


def nearest_neighbour_information(
    columns: ArrayLike, classes: ArrayLike, *, neighbours: int = 3, seed: int = 0
) -> Array:
    """Ross's estimate of the information (in nats, at least 0) each column holds about the class: shape (p,).

    Parameters
    ----------
    columns : array, shape (n, p)
    classes : array, shape (n,)
    neighbours : int
        Of the same class; fewer in a class that has fewer.
    seed : int
        Ties are broken by noise of 1e-10 of a column's sd, the same for all columns, so copies of a column stay equal and
        no column's value depends on what stands beside it.

    References
    ----------
    Ross, PLoS ONE 2014;9:e87357.
    """
    values = np.asarray(columns, dtype=np.float64)
    labels, codes, sizes = np.unique(np.asarray(classes), return_inverse=True, return_counts=True)
    if neighbours < 1:
        raise TableError(f"mutual information: {neighbours} neighbours; expected 1 or more")
    used = np.flatnonzero(sizes[codes] > 1)  # a class of one has no neighbour
    values, codes = values[used], codes[used]
    n, p = values.shape
    constant = constant_columns(values)
    standard = values / np.where(constant, 1.0, values.std(axis=0))
    noise: Array = np.random.default_rng(seed).standard_normal((n, 1))
    standard = standard + _NOISE * np.maximum(1.0, np.abs(standard).mean(axis=0)) * noise
    k = np.minimum(neighbours, sizes[codes] - 1)
    radius = np.empty((n, p))
    for label in range(len(labels)):
        own = codes == label
        if own.any():
            radius[own] = _kth_distance(standard[own], int(min(neighbours, sizes[label] - 1)))
    radius = np.nextafter(radius, 0.0)
    inside = np.empty((n, p))
    for j in range(p):
        column = standard[:, j]
        inside[:, j] = (np.abs(column[:, None] - column) <= radius[:, j][:, None]).sum(axis=1)
    information = digamma(n) + np.mean(digamma(k)) - np.mean(digamma(sizes[codes])) - np.mean(digamma(inside), axis=0)
    return np.where(constant, 0.0, np.maximum(information, 0.0))


def _kth_distance(values: Array, k: int) -> Array:
    """Distance of each value to its k-th nearest in the same column: shape (n, p).

    In sorted order the k nearest of a value are k + 1 neighbours in a row that hold it; the tightest such row counts.
    """
    n = len(values)
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    best = np.full(values.shape, np.inf)
    for before in range(k + 1):
        after = k - before
        here = slice(before, n - after)
        reach = np.maximum(ordered[here] - ordered[: n - k], ordered[k:] - ordered[here])
        best[here] = np.minimum(best[here], reach)
    found = np.empty_like(best)
    np.put_along_axis(found, order, best, axis=0)
    return found


def three_bins(columns: ArrayLike) -> NDArray[np.int64]:
    """0 below the mean - sd / 2, 2 above the mean + sd / 2, 1 between (sd with ddof 0): shape (n, p)."""
    values = np.asarray(columns, dtype=np.float64)
    centre, half = values.mean(axis=0), values.std(axis=0) / 2
    binned: NDArray[np.int64] = (values >= centre - half).astype(np.int64) + (values > centre + half)
    return binned


def binned_information(binned: NDArray[np.int64], other: NDArray[np.int64]) -> Array:
    """Mutual information (nats) of each column of bins (n, p) with one column of classes or bins (n,): shape (p,)."""
    n, p = binned.shape
    joint = np.empty((int(binned.max(initial=0)) + 1, int(other.max(initial=0)) + 1, p))
    for level in range(joint.shape[0]):
        at = (binned == level).astype(np.float64)
        for label in range(joint.shape[1]):
            joint[level, label] = at[other == label].sum(axis=0) / n
    product = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(joint > 0, joint * np.log(joint / product), 0.0)
    information: Array = np.maximum(terms.sum(axis=(0, 1)), 0.0)
    return information
