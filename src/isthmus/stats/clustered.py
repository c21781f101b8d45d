"""Bootstrap over patients of statistics of many columns at once: a drawn patient brings all rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import bca_interval
from isthmus.stats.interval import Interval

__all__ = ["clustered_intervals"]

Rows = NDArray[np.intp]


def clustered_intervals(
    statistic: Callable[[Rows], ArrayLike],
    patients: ArrayLike,
    *,
    draws: int = 2000,
    seed: int,
    confidence: float = 0.95,
) -> list[Interval]:
    """BCa intervals of one or several statistics of rows.

    Parameters
    ----------
    statistic : callable
        From the numbers of rows, each as often as drawn, to one or more numbers; NaN where one is not defined on them.
    patients : array of shape (n,)
        Who each row is.
    draws, seed, confidence
        Number of samples, seed of the generator, level.

    Returns
    -------
    list of Interval
        One a number.

    Raises
    ------
    TableError
        There are no rows.
    """
    _, who = np.unique(np.asarray(patients), return_inverse=True)
    if not who.size:
        raise TableError("no rows: a bootstrap needs at least one patient")
    rows = [np.flatnonzero(who == one) for one in range(int(who.max()) + 1)]
    estimate = _values(statistic, np.arange(who.size))
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [
            _values(statistic, np.concatenate([rows[one] for one in rng.integers(len(rows), size=len(rows))]))
            for _ in range(draws)
        ]
    )
    left_out = (
        np.array([_values(statistic, np.flatnonzero(who != one)) for one in range(len(rows))])
        if len(rows) > 1
        else np.empty((0, estimate.size))
    )
    return [
        bca_interval(float(estimate[n]), drawn[:, n], left_out[:, n], confidence, "bootstrap over patients")
        for n in range(estimate.size)
    ]


def _values(statistic: Callable[[Rows], ArrayLike], rows: Rows) -> Array:
    return np.atleast_1d(np.asarray(statistic(rows), dtype=np.float64))
