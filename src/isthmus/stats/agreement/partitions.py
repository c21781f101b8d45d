"""How far two ways of cutting the same things into parts agree.

References
----------
Hubert and Arabie, J Classification 2:193-218, 1985 (adjusted Rand index). Meila, J Multivariate Analysis 98:873-895, 2007
(variation of information).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["adjusted_rand_index", "variation_of_information"]


def adjusted_rand_index(first: ArrayLike, second: ArrayLike) -> float:
    """Pairs put together by both, beyond chance: 1 for the same parts (whatever their names), 0 on average for random ones.

    1 also where both consist of one part, or both of single things: they agree and nothing is left to chance.
    """
    both, a, b = _counts(first, second)
    n = float(a.sum())
    together, by_first, by_second = (float((c * (c - 1) / 2).sum()) for c in (both, a, b))
    expected = by_first * by_second / (n * (n - 1) / 2) if n > 1 else 0.0
    most = (by_first + by_second) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def variation_of_information(first: ArrayLike, second: ArrayLike) -> float:
    """What each says that the other does not, in nats: 2 H(both) - H(first) - H(second). 0 for the same parts; a metric."""
    both, a, b = _counts(first, second)
    n = float(a.sum())

    def entropy(counts: Array) -> float:
        return float(np.log(n) - (counts * np.log(counts)).sum() / n)

    return max(2 * entropy(both) - entropy(a) - entropy(b), 0.0)


def _counts(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array, Array]:
    """How many things are in each pair of parts that share any, in each part of the first, and of the second."""
    one, two = np.asarray(first).ravel(), np.asarray(second).ravel()
    if one.shape != two.shape or not one.size:
        raise TableError(f"two partitions of the same things are needed; got {one.size} and {two.size} labels")
    _, a = np.unique(one, return_inverse=True)
    _, b = np.unique(two, return_inverse=True)
    table = sparse.coo_array((np.ones(a.size), (a, b))).tocsr()
    cells: NDArray[np.float64] = np.asarray(table.data, dtype=np.float64)
    return cells, np.bincount(a).astype(np.float64), np.bincount(b).astype(np.float64)
