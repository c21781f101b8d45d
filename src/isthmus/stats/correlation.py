"""How two numbers go together: Pearson's, Spearman's and Kendall's coefficients, and Shapiro and Wilk's test for display.

A test of normality is shown, never used to choose another test: choosing by it spoils both.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison
from isthmus.stats.interval import Interval

__all__ = ["correlation_interval", "correlation_test", "partial_correlation", "shapiro_wilk"]

CorrelationMethod = Literal["pearson", "spearman", "kendall"]

_NAN = float("nan")


def correlation_test(a: ArrayLike, b: ArrayLike, method: CorrelationMethod = "spearman") -> Comparison:
    """Do two numbers go together? The statistic is the coefficient; pairs with a missing value are left out.

    Kendall's is tau-b; p-values: Pearson's and Spearman's by t, Kendall's exact without ties and with few pairs, else normal.
    """
    x, z = _pairs(a, b)
    if x.size < 3 or _flat(x) or _flat(z):
        return Comparison(_NAN, _NAN, f"{method}; not computed: fewer than three pairs, or no variation")
    if method == "pearson":
        result = stats.pearsonr(x, z)
    elif method == "spearman":
        result = stats.spearmanr(x, z)
    elif method == "kendall":
        result = stats.kendalltau(x, z)
    else:
        raise TableError(f"unknown correlation {method!r}; expected pearson, spearman or kendall")
    return Comparison(float(result.statistic), float(result.pvalue), method, float(x.size))


def _flat(values: Array) -> bool:
    """No variation, or none beyond rounding (of which Pearson's coefficient would be made)."""
    return bool(np.ptp(values) <= 4e-12 * np.abs(values).max())


def correlation_interval(
    a: ArrayLike, b: ArrayLike, method: CorrelationMethod = "pearson", confidence: float = 0.95
) -> Interval:
    """The coefficient with Fisher's z limits; of Spearman's with the variance (1 + r²/2) / (n - 3) (Bonett and Wright 2000)."""
    if method == "kendall":
        raise TableError("no interval for Kendall's tau; use pearson or spearman")
    x, _ = _pairs(a, b)
    r = correlation_test(a, b, method).statistic
    if not x.size > 3 or np.isnan(r) or abs(r) >= 1:
        return Interval(r, _NAN, _NAN, f"{method}; no interval: fewer than four pairs, or perfect")
    variance = (1 + r**2 / 2 if method == "spearman" else 1.0) / (x.size - 3)
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * np.sqrt(variance)
    return Interval(
        r, float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half)), f"{method}, Fisher's z"
    )


def partial_correlation(
    a: ArrayLike,
    b: ArrayLike,
    given: ArrayLike,
    method: Literal["pearson", "spearman"] = "spearman",
    confidence: float = 0.95,
) -> tuple[Interval, float]:
    """Do two numbers go together beyond what others say of both?

    The correlation of what is left of `a` and of `b` after least squares on `given`; for Spearman's, of the ranks of all of them. Limits by
    Fisher's z, as `correlation_interval`, with one observation less for each given column; p by t.

    Parameters
    ----------
    a, b : arrays, shape (n,)
    given : array, shape (n, q)
        A row with a missing value anywhere is left out.
    method : {"pearson", "spearman"}
    confidence : float

    Returns
    -------
    Interval, float
        The coefficient with its limits, and p; NaN with a reason where fewer than q + 4 rows are left, or nothing is.
    """
    others = np.asarray(given, dtype=np.float64)
    others = others.reshape(len(others), -1)
    x, z = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != z.shape or len(others) != len(x):
        raise TableError(f"a partial correlation needs rows: {x.shape}, {z.shape} and {others.shape} values")
    there = np.isfinite(np.column_stack([x, z, others])).all(axis=1)
    table = np.column_stack([x, z, others])[there]
    n, left = len(table), len(table) - 2 - others.shape[1]
    nothing = Interval(_NAN, _NAN, _NAN, f"partial {method}; not computed: too few rows, or no variation is left")
    if left < 2:
        return nothing, _NAN
    if method == "spearman":
        table = stats.rankdata(table, axis=0)
    table = table - table.mean(axis=0)
    explained = table[:, 2:]
    rest = table[:, :2] - explained @ np.linalg.lstsq(explained, table[:, :2], rcond=None)[0]
    size = np.sqrt((rest**2).sum(axis=0))
    if (size <= 1e-9 * np.sqrt((table[:, :2] ** 2).sum(axis=0))).any():
        return nothing, _NAN
    r = float(np.clip((rest[:, 0] * rest[:, 1]).sum() / size.prod(), -1, 1))
    if abs(r) >= 1:
        return Interval(r, _NAN, _NAN, f"partial {method}; no interval: perfect"), 0.0
    p = float(2 * stats.t.sf(abs(r) * np.sqrt(left / (1 - r**2)), left))
    variance = (1 + r**2 / 2 if method == "spearman" else 1.0) / (n - 3 - others.shape[1])
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * np.sqrt(variance)
    limits = np.tanh(np.arctanh(r) + np.array([-half, half])).tolist()
    return Interval(r, limits[0], limits[1], f"partial {method}, Fisher's z"), p


def shapiro_wilk(values: ArrayLike) -> Comparison:
    """Could these values come from a normal distribution? (Shapiro and Wilk's W, Royston's p)"""
    numbers = np.asarray(values, dtype=np.float64)
    present = numbers[~np.isnan(numbers)]
    if present.size < 3 or np.ptp(present) == 0:
        return Comparison(_NAN, _NAN, "Shapiro-Wilk; not computed: fewer than three values, or no variation")
    result = stats.shapiro(present)
    return Comparison(float(result.statistic), float(result.pvalue), "Shapiro-Wilk")


def _pairs(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    x, z = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != z.shape:
        raise TableError(f"a correlation needs pairs: {x.shape} and {z.shape} values")
    there = ~(np.isnan(x) | np.isnan(z))
    return x[there], z[there]
