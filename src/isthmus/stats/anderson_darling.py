"""Do samples come from one distribution? The k-sample Anderson-Darling test, of many features at once.

References
----------
Scholz and Stephens, J Am Stat Assoc 82:918-924, 1987.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["anderson_darling", "differ"]

_CRITICAL_5 = (
    1.645,
    0.678,
    -0.362,
)  # of the standardised statistic at 5 %: b0 + b1 / sqrt(m) + b2 / m, m = k - 1 (table 2)


def anderson_darling(values: ArrayLike, sites: ArrayLike) -> Array:
    """The standardised statistic of each feature, shape (p,): about 0 under one distribution. Of ties, the version for discrete
    samples with midranks (their A2akN).

    Parameters
    ----------
    values : array, shape (n, p)
        Complete.
    sites : array, shape (n,)
    """
    table = np.asarray(values, dtype=np.float64)
    names, codes = np.unique(np.asarray(sites).astype(str), return_inverse=True)
    n, k = len(table), len(names)
    if k < 2 or n < 4:
        raise TableError(f"samples to compare: {n} values in {k} group(s); expected two groups and four values or more")
    order = np.argsort(table, axis=0, kind="stable")
    ordered = np.take_along_axis(table, order, axis=0)
    lowest, highest = _tied(ordered)
    below, upto = lowest.astype(np.float64), (highest + 1).astype(np.float64)
    middle = (below + upto) / 2
    size_of_tie = upto - below
    weight = middle * (n - middle) - n * size_of_tie / 4
    statistic = np.zeros(table.shape[1])
    sizes = np.bincount(codes)
    for code, size in enumerate(sizes):
        counted = np.vstack([np.zeros(table.shape[1]), np.cumsum(codes[order] == code, axis=0)])
        own = (np.take_along_axis(counted, lowest, axis=0) + np.take_along_axis(counted, highest + 1, axis=0)) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (n * own - middle * size) ** 2 / weight
        # every row of a tie says the same: each counts for its share, l / N altogether
        statistic += np.where(weight > 0, part, 0.0).sum(axis=0) / (n * size)
    statistic *= (n - 1) / n
    result: Array = (statistic - (k - 1)) / _spread(sizes, n)
    return result


def differ(values: ArrayLike, sites: ArrayLike) -> NDArray[np.bool_]:
    """Which features differ between sites at the 5 % level."""
    m = len(np.unique(np.asarray(sites).astype(str))) - 1
    b0, b1, b2 = _CRITICAL_5
    found: NDArray[np.bool_] = anderson_darling(values, sites) > b0 + b1 / np.sqrt(m) + b2 / m
    return found


def _tied(ordered: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each place of a sorted column the first and the last place with the same value."""
    n, p = ordered.shape
    places = np.arange(n)[:, None]
    new = np.vstack([np.ones((1, p), dtype=bool), ordered[1:] != ordered[:-1]])
    first = np.maximum.accumulate(np.where(new, places, 0), axis=0)
    ends = np.vstack([new[1:], np.ones((1, p), dtype=bool)])
    last = np.minimum.accumulate(np.where(ends, places, n)[::-1], axis=0)[::-1]
    return first, last


def _spread(sizes: NDArray[np.int64], n: int) -> float:
    """Standard deviation of the statistic under one distribution (their equation 4)."""
    k = len(sizes)
    total = float((1 / sizes).sum())
    inverse = 1 / np.arange(n - 1, 1, -1, dtype=np.float64)
    cumulative = np.cumsum(inverse)
    h = float(cumulative[-1] + 1)
    g = float((cumulative / np.arange(2, n)).sum())
    a = (4 * g - 6) * (k - 1) + (10 - 6 * g) * total
    b = (2 * g - 4) * k**2 + 8 * h * k + (2 * g - 14 * h - 4) * total - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * k**2 + (4 * h - 4 * g + 6) * k + (2 * h - 6) * total + 4 * h
    d = (2 * h + 6) * k**2 - 4 * h * k
    variance = (a * n**3 + b * n**2 + c * n + d) / ((n - 1.0) * (n - 2.0) * (n - 3.0))
    return float(np.sqrt(variance))
