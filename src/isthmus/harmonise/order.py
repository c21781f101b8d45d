"""In which order several batch variables are taken: the one that leaves the fewest features with a batch effect.

References
----------
Horng et al., Scientific Reports 12:4493, 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from isthmus.stats.anderson_darling import differ
from isthmus.table.steps import Array

__all__ = ["ALL_ORDERS", "learn_order"]

ALL_ORDERS = 5
"""Up to so many variables every order is tried; with more the best next one is taken, one at a time."""

Harmonise = Callable[[Array, str], Array]


def learn_order(values: Array, labels: Mapping[str, NDArray[np.str_]], harmonise: Harmonise) -> list[str]:
    """The batch variables in the best order; of equals the first as they were named.

    Parameters
    ----------
    values : array, shape (n, p)
        Training rows.
    labels : mapping
        Batch variable -> the label of each row.
    harmonise : callable
        (values, variable) -> values after one ComBat over it.
    """
    names = list(labels)
    if len(names) > ALL_ORDERS:
        return _one_at_a_time(values, labels, harmonise)
    done: dict[tuple[str, ...], Array] = {(): values}
    best: tuple[int, list[str]] | None = None
    for order in permutations(names):
        for length in range(1, len(order) + 1):
            if order[:length] not in done:
                done[order[:length]] = harmonise(done[order[: length - 1]], order[length - 1])
        count = _affected(done[order], labels)
        if best is None or count < best[0]:
            best = (count, list(order))
        del done[order]
    assert best is not None
    return best[1]


def _one_at_a_time(values: Array, labels: Mapping[str, NDArray[np.str_]], harmonise: Harmonise) -> list[str]:
    order: list[str] = []
    while len(order) < len(labels):
        tried = {name: harmonise(values, name) for name in labels if name not in order}
        chosen = min(tried, key=lambda name: _affected(tried[name], labels))
        values = tried[chosen]
        order.append(chosen)
    return order


def _affected(values: Array, labels: Mapping[str, NDArray[np.str_]]) -> int:
    """Features whose distribution differs (5 %) between the labels of any variable."""
    affected = np.zeros(values.shape[1], dtype=bool)
    for of_rows in labels.values():
        affected |= differ(values, of_rows)
    return int(affected.sum())
