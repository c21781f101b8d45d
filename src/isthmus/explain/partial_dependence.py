"""How the prediction changes along one column: partial dependence, individual curves, accumulated local effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dependence", "LocalEffects", "accumulated_local_effects", "grid_of", "partial_dependence"]

Array = NDArray[np.float64]
Output = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Dependence:
    """Predictions with one column set to each value of a grid.

    Parameters
    ----------
    grid : array, shape (g,)
    individual : array, shape (n, g)
        One curve a row (ICE, Goldstein 2015).
    """

    grid: Array
    individual: Array

    @property
    def mean(self) -> Array:
        """The partial dependence (Friedman 2001), shape (g,)."""
        mean: Array = self.individual.mean(axis=0)
        return mean


@dataclass(frozen=True, eq=False)
class LocalEffects:
    """Accumulated local effects (Apley and Zhu 2020).

    Parameters
    ----------
    edges : array, shape (b + 1,)
    effect : array, shape (b + 1,)
        Mean over the rows is 0.
    counts : array of int, shape (b,)
        Rows in each interval.
    """

    edges: Array
    effect: Array
    counts: NDArray[np.int64]


def grid_of(values: Array, points: int = 20) -> Array:
    """Quantiles of a column, those that differ, from the 5th to the 95th percentile."""
    return np.unique(np.quantile(values, np.linspace(0.05, 0.95, points)))


def partial_dependence(output: Output, rows: Array, column: int, grid: Array) -> Dependence:
    """Predictions of every row with the column set to each value.

    Where columns are correlated this asks about patients who do not exist; `accumulated_local_effects` does not.

    Parameters
    ----------
    output : callable
        Values (m, p) -> predictions (m,).
    rows : array, shape (n, p)
    column : int
    grid : array, shape (g,)
    """
    curves = np.empty((len(rows), len(grid)))
    for position, value in enumerate(grid):
        changed = rows.copy()
        changed[:, column] = value
        curves[:, position] = output(changed)
    return Dependence(grid, curves)


def accumulated_local_effects(output: Output, rows: Array, column: int, *, bins: int = 10) -> LocalEffects:
    """Effect of a column from small steps within intervals, each row moved only inside its own.

    Parameters
    ----------
    output : callable
    rows : array, shape (n, p)
    column : int
    bins : int
        Intervals with about as many rows each; fewer where values repeat.
    """
    values = rows[:, column]
    edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, bins + 1), method="inverted_cdf"))
    if len(edges) < 2:
        return LocalEffects(edges, np.zeros(len(edges)), np.zeros(0, dtype=np.int64))
    inside = np.clip(np.searchsorted(edges, values, side="left") - 1, 0, len(edges) - 2)
    low, high = rows.copy(), rows.copy()
    low[:, column], high[:, column] = edges[inside], edges[inside + 1]
    step = output(high) - output(low)
    counts = np.bincount(inside, minlength=len(edges) - 1)
    mean = np.bincount(inside, step, minlength=len(edges) - 1) / np.maximum(counts, 1)
    effect = np.concatenate([[0.0], np.cumsum(mean)])
    centre = ((effect[:-1] + effect[1:]) / 2 @ counts) / len(rows)
    return LocalEffects(edges, effect - centre, counts.astype(np.int64))
