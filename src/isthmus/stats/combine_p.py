"""Many p-values as one: Fisher, Stouffer, and the geometric mean, which ranks and tests only after multiplication by e."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison

__all__ = ["GeometricMean", "fisher_combined", "geometric_mean_p", "stouffer_combined"]

_SMALLEST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class GeometricMean:
    """The geometric mean of p-values.

    Parameters
    ----------
    value : float
        For ranking only; it is not a p-value.
    p : float
        min(1, e times the value), which is one under any dependence.
    count, replaced : int
        p-values that took part, and those of 0 that had to be replaced.
    """

    value: float
    p: float
    count: int
    replaced: int


def geometric_mean_p(p: ArrayLike, *, smallest: float = _SMALLEST) -> GeometricMean:
    """exp of the mean log p; NaN without any p-value.

    Parameters
    ----------
    p : array of numbers in [0, 1]
        Missing ones take no part.
    smallest : float
        Stands for a p-value of 0: of a permutation test, the smallest it could have given.

    References
    ----------
    Vovk and Wang, Biometrika 2020;107:791 (e times the geometric mean is a p-value whatever the dependence).
    """
    values = _checked(p)
    if not values.size:
        return GeometricMean(math.nan, math.nan, 0, 0)
    value = float(np.exp(np.log(np.maximum(values, smallest)).mean()))
    return GeometricMean(value, min(1.0, math.e * value), int(values.size), int((values == 0).sum()))


def fisher_combined(p: ArrayLike) -> Comparison:
    """Fisher's -2 sum log p, chi-square with 2K degrees of freedom; it takes the tests for independent."""
    values = _checked(p)
    if not values.size:
        return Comparison(math.nan, math.nan, "Fisher's combination; not computed: no p-values")
    statistic = float(-2.0 * np.log(np.maximum(values, _SMALLEST)).sum())
    df = 2.0 * values.size
    return Comparison(statistic, float(stats.chi2.sf(statistic, df)), "Fisher's combination", df)


def stouffer_combined(p: ArrayLike) -> Comparison:
    """Stouffer's sum of z over the root of their number; it takes the tests for independent.

    A p-value of exactly 1 has no finite z and is left out, which `method` then says (R's metap does the same).
    """
    values = _checked(p)
    finite = values[values < 1]
    name = "Stouffer's combination"
    if not finite.size:
        return Comparison(math.nan, math.nan, f"{name}; not computed: no p-values below 1")
    z = float(stats.norm.isf(np.maximum(finite, _SMALLEST)).sum() / math.sqrt(finite.size))
    left = int(values.size - finite.size)
    return Comparison(z, float(stats.norm.sf(z)), f"{name}, {left} p-value(s) of 1 left out" if left else name)


def _checked(p: ArrayLike) -> Array:
    values = np.asarray(p, dtype=np.float64).ravel()
    there = values[~np.isnan(values)]
    if ((there < 0) | (there > 1)).any():
        raise TableError("p-values lie between 0 and 1; these do not")
    return there
