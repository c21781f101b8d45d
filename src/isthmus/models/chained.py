"""Chained regressions that fill the gaps of a table of numbers: learned once, stored as plain numbers, applied row by row.

Each column is regressed on the few columns most correlated with it; gaps start at the medians, and every round replaces them by the
predictions, column by column, the fullest first. This is one deterministic imputation for prediction. Its filled values vary too little for
tests and intervals: for those there is multiple imputation (`stats/multiple_imputation.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Chained", "fill_chained", "fit_chained"]

Floats = NDArray[np.float64]

_PENALTY = 1.0  # on standardised columns: the weight of one patient


@dataclass(frozen=True, eq=False)
class Chained:
    """What was learned of p columns.

    Parameters
    ----------
    start, low, high : arrays, shape (p,)
        Medians, and the smallest and largest training value: predictions stay between.
    order : list of int
        Columns, the fullest first.
    sources : list of lists of int
        The columns each column is predicted from.
    weights : list of lists of float
        Intercept, then one weight a source.
    rounds : int
    """

    start: Floats
    low: Floats
    high: Floats
    order: list[int]
    sources: list[list[int]]
    weights: list[list[float]]
    rounds: int

    def to_state(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        return cls(**state)


def fit_chained(values: Floats, start: Floats, *, rounds: int, most: int) -> Chained:
    """Learn from the training rows (n, p), gaps NaN; no column is empty."""
    gaps = np.isnan(values)
    filled = np.where(gaps, start, values)
    p = values.shape[1]
    sources = _sources(filled, most)
    order = [int(i) for i in np.argsort(gaps.sum(axis=0), kind="stable")]
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    weights: list[list[float]] = [[] for _ in range(p)]
    with_gaps = [column for column in order if gaps[:, column].any()]
    for _ in range(rounds):
        for column in with_gaps:
            here = gaps[:, column]
            weights[column] = _ridge(filled[~here][:, sources[column]], values[~here, column])
            filled[here, column] = _predict(filled[here], column, sources, weights, low, high)
    for column in order:  # a new patient may lack what every training patient has
        if not weights[column]:
            weights[column] = _ridge(filled[:, sources[column]], filled[:, column])
    return Chained(start, low, high, order, sources, weights, rounds)


def fill_chained(chain: Chained, values: Floats) -> Floats:
    """The rows without gaps; each on its own."""
    gaps = np.isnan(values)
    filled = np.where(gaps, chain.start, values)
    rows = gaps.any(axis=1)
    part, holes = filled[rows], gaps[rows]
    for _ in range(chain.rounds):
        for column in chain.order:
            here = holes[:, column]
            if here.any():
                part[here, column] = _predict(part[here], column, chain.sources, chain.weights, chain.low, chain.high)
    filled[rows] = part
    return filled


def _sources(filled: Floats, most: int) -> list[list[int]]:
    """The columns most correlated with each column (ties: the first); constant columns tell nothing."""
    spread = filled.std(axis=0)
    varies = spread > 0
    standard = (filled - filled.mean(axis=0)) / np.where(varies, spread, 1.0)
    related = np.abs(standard.T @ standard)
    np.fill_diagonal(related, -1.0)
    related[:, ~varies] = -1.0
    best = np.argsort(-np.round(related, 9), axis=1, kind="stable")[:, :most]
    return [[int(j) for j in sorted(row) if related[i, j] >= 0] for i, row in enumerate(best)]


def _ridge(x: Floats, y: Floats) -> list[float]:
    """Intercept and weights of a ridge regression on standardised columns, given back on their own scale."""
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    z = (x - centre) / spread
    slope = np.linalg.solve(z.T @ z + _PENALTY * np.eye(z.shape[1]), z.T @ (y - y.mean())) / spread
    return [float(y.mean() - slope @ centre), *(float(s) for s in slope)]


def _predict(
    filled: Floats, column: int, sources: list[list[int]], weights: list[list[float]], low: Floats, high: Floats
) -> Floats:
    """Summed source by source: a row alone gets the bits it gets in a batch."""
    intercept, *slopes = weights[column]
    total = np.full(len(filled), intercept)
    for source, slope in zip(sources[column], slopes, strict=True):
        total = total + filled[:, source] * slope
    return np.clip(total, low[column], high[column])
