"""Permutation importance: what a score loses when a column is shuffled among held-out patients (Breiman 2001)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["permutation_importance"]

Array = NDArray[np.float64]


def permutation_importance(
    output: Callable[[Array], Array],
    score: Callable[[Array], float],
    rows: Array,
    groups: Sequence[NDArray[np.intp]],
    *,
    permutations: int,
    seed: int,
) -> Array:
    """Mean loss of the score when the columns of a group are shuffled together, one number a group.

    Correlated columns stand in for one another when shuffled alone; shuffled together they cannot.

    Parameters
    ----------
    output : callable
        Values (n, p) -> predictions (n,).
    score : callable
        Predictions (n,) -> number; larger is better.
    rows : array, shape (n, p)
        Held out: on training rows the importance would be that of what was memorised.
    groups : sequence of int arrays
        Columns shuffled together.
    permutations : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(len(rows)) for _ in range(permutations)]
    whole = score(output(rows))
    losses = []
    for columns in groups:
        lost = []
        for order in orders:
            shuffled = rows.copy()
            shuffled[:, columns] = rows[np.ix_(order, columns)]
            lost.append(whole - score(output(shuffled)))
        losses.append(float(np.mean(lost)))
    return np.array(losses)
