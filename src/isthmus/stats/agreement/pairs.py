"""Two measurements of the same subjects: concordance, cosine similarity, limits of agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["BlandAltman", "bland_altman", "cosine_similarity", "lin_ccc"]


@dataclass(frozen=True, eq=False)
class BlandAltman:
    """Mean difference (second minus first) with its limits, and the limits of agreement with theirs; arrays (p,)."""

    bias: Array
    bias_lower: Array
    bias_upper: Array
    sd: Array
    lower: Array
    upper: Array
    lower_limits: tuple[Array, Array]
    upper_limits: tuple[Array, Array]


def lin_ccc(first: ArrayLike, second: ArrayLike) -> Array:
    """Lin's concordance correlation of each column (moments with ddof 0), shape (p,); NaN where both never vary and agree.

    References
    ----------
    Lin, Biometrics 45:255-268, 1989.
    """
    a, b = _paired(first, second)
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    covariance = ((a - mean_a) * (b - mean_b)).mean(axis=0)
    bottom = a.var(axis=0) + b.var(axis=0) + (mean_a - mean_b) ** 2
    return np.divide(2 * covariance, bottom, out=np.full(bottom.shape, np.nan), where=bottom > 0)


def cosine_similarity(first: ArrayLike, second: ArrayLike, *, centred: bool = False) -> Array:
    """Cosine of the angle between two columns of measurements, shape (p,).

    Uncentred it ignores location: any positive feature comes near 1, however badly it repeats (two raters with a
    concordance of 0.78 have a cosine of 0.99). `centred` takes the mean of both measurements away first. Never a reason
    to keep a feature by itself.
    """
    a, b = _paired(first, second)
    if centred:
        middle = (a.mean(axis=0) + b.mean(axis=0)) / 2
        a, b = a - middle, b - middle
    bottom = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), bottom, out=np.full(bottom.shape, np.nan), where=bottom > 0)


def bland_altman(first: ArrayLike, second: ArrayLike, *, confidence: float = 0.95) -> BlandAltman:
    """Bias and limits of agreement of each column: mean difference plus and minus 1.96 sd (at 95 %).

    References
    ----------
    Bland and Altman, Lancet 1:307-310, 1986; the limits of the limits with standard error sd sqrt(1/n + z^2/(2(n-1))).
    """
    a, b = _paired(first, second)
    n = len(a)
    if n < 2:
        raise TableError("limits of agreement need at least 2 subjects")
    difference = b - a
    bias, sd = difference.mean(axis=0), difference.std(axis=0, ddof=1)
    z, t = stats.norm.ppf(0.5 + confidence / 2), stats.t.ppf(0.5 + confidence / 2, n - 1)
    half, wide = t * sd / np.sqrt(n), t * sd * np.sqrt(1 / n + z**2 / (2 * (n - 1)))
    lower, upper = bias - z * sd, bias + z * sd
    return BlandAltman(
        bias, bias - half, bias + half, sd, lower, upper, (lower - wide, lower + wide), (upper - wide, upper + wide)
    )


def _paired(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim not in (1, 2) or not len(a):
        raise TableError(f"two measurements of the same subjects are needed; got the shapes {a.shape} and {b.shape}")
    return (a[:, None], b[:, None]) if a.ndim == 1 else (a, b)
