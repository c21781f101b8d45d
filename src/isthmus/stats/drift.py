"""Whether new values are distributed as those of training, from what a model file keeps of the latter: quantiles or counts.

The Kolmogorov-Smirnov distance is taken at the stored quantiles only, where both distribution functions are known exactly.
It can miss a difference between two of them, never invent one: its p-value is conservative. The population stability index
(PSI) is the symmetric Kullback-Leibler divergence between shares of bins, the tenths of training; by custom below 0.1 is
little and above 0.25 much, but in few patients chance alone makes it large (about (bins - 1) (1/n + 1/m)), so the test beside it decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Shift", "category_shift", "missing_p", "number_shift", "two_samples"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """How far new values are from those of training.

    `psi` is the population stability index, `statistic` and `p` are of `test`.
    """

    psi: float
    test: str
    statistic: float
    p: float


NOTHING = Shift(float("nan"), "not computed: no values to compare", float("nan"), float("nan"))


def number_shift(quantiles: ArrayLike, at_most: ArrayLike, n: int, values: ArrayLike) -> Shift:
    """Of a number.

    Parameters
    ----------
    quantiles : array, shape (q,)
        Points at which the training distribution is known, in increasing order.
    at_most : array, shape (q,)
        Share of the `n` training values that are at most each of them.
    n : int
    values : array, shape (m,)
        New values, none missing.
    """
    points, then, new = (np.asarray(part, dtype=np.float64) for part in (quantiles, at_most, values))
    if not len(points) or not len(new) or not n:
        return NOTHING
    now = np.searchsorted(np.sort(new), points, side="right") / len(new)
    distance = float(np.abs(now - then).max())
    outside = float(np.mean(new < points[0]))  # below every training value: a difference just before the first point
    distance = max(distance, outside)
    tenths = _tenths(points, then)
    return Shift(
        _psi(then[tenths], now[tenths], n, len(new)), "Kolmogorov-Smirnov", distance, _ks_p(distance, n, len(new))
    )


def two_samples(then: ArrayLike, values: ArrayLike) -> Shift:
    """Of a number whose training values are all known."""
    old, new = np.sort(np.asarray(then, dtype=np.float64)), np.sort(np.asarray(values, dtype=np.float64))
    if not len(old) or not len(new):
        return NOTHING
    points = np.concatenate([old, new])
    before, now = (np.searchsorted(side, points, side="right") / len(side) for side in (old, new))
    distance = float(np.abs(before - now).max())
    edges = np.quantile(old, np.linspace(0.1, 0.9, 9))
    shares, shares_now = (np.searchsorted(side, edges, side="right") / len(side) for side in (old, new))
    return Shift(
        _psi(shares, shares_now, len(old), len(new)),
        "Kolmogorov-Smirnov",
        distance,
        _ks_p(distance, len(old), len(new)),
    )


def category_shift(then: dict[str, int], now: dict[str, int]) -> Shift:
    """Of a category: counts by name in training and now; a name that is new counts too."""
    from scipy import stats

    names = sorted({*then, *now})
    counts = np.array([[side.get(name, 0) for name in names] for side in (then, now)], dtype=np.float64)
    if (counts.sum(axis=1) == 0).any():
        return NOTHING
    psi = _divergence(counts[0], counts[1])
    if len(names) < 2:
        return Shift(psi, "chi-squared", 0.0, 1.0)
    found = stats.chi2_contingency(counts, correction=False)
    return Shift(psi, "chi-squared", float(found.statistic), float(found.pvalue))


def missing_p(then: tuple[int, int], now: tuple[int, int]) -> float:
    """Fisher's exact p that missing values are as frequent now as in training; each side is (missing, there)."""
    from scipy import stats

    return float(stats.fisher_exact([then, now])[1])


def _tenths(points: Array, then: Array) -> NDArray[np.int64]:
    """Which of the points part the training values into about tenths, each value once."""
    wanted = [int(np.argmin(np.abs(then - share))) for share in np.linspace(0.1, 0.9, 9)]
    return np.array([k for k in sorted(set(wanted)) if then[k] < 1.0], dtype=np.int64)


def _psi(then: Array, now: Array, n: int, m: int) -> float:
    """From distribution functions at the inner edges of the bins."""
    counts = [np.diff(np.concatenate([[0.0], side, [1.0]])) * size for side, size in ((then, n), (now, m))]
    return _divergence(*counts)


def _divergence(then: Array, now: Array) -> float:
    """Half a patient more in every bin, so that an empty one does not make it infinite."""
    old, new = ((side + 0.5) / (side.sum() + 0.5 * len(side)) for side in (then, now))
    return float(((new - old) * np.log(new / old)).sum())


def _ks_p(distance: float, n: int, m: int) -> float:
    from scipy import stats

    return float(np.clip(stats.kstwo.sf(distance, max(round(n * m / (n + m)), 1)), 0.0, 1.0))
