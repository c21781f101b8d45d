"""Moderated t-statistics: many measurements (proteins, features) on few patients, their variances borrowing strength.

Smyth, Stat Appl Genet Mol Biol 2004;3:3 (limma). The residual variances are taken as draws around one prior variance s0^2
with d0 degrees of freedom, both estimated from all rows; each row's variance is shrunk towards it. Where the spread depends on the
level, the prior variance may follow it (limma-trend: Law et al., Genome Biol 2014;15:R29).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.groups import adjust_p

__all__ = ["ModeratedT", "RowFits", "fit_rows", "moderated_contrast", "moderated_t"]

_NAN = float("nan")
_LEAST_SHARE = (
    1e-5  # of the median variance: a smaller one is an accident of rounding, and its logarithm would rule the prior
)


@dataclass(frozen=True, eq=False)
class RowFits:
    """One least-squares fit a row, for one contrast of its coefficients.

    Parameters
    ----------
    estimate : array (rows,)
        The contrast; NaN where the row's values cannot tell it.
    unscaled : array (rows,)
        Its standard error divided by the residual standard deviation.
    variance : array (rows,)
        Of the residuals; NaN without a degree of freedom.
    df : array (rows,)
        Residual degrees of freedom.
    mean : array (rows,)
        Of the row's values.
    n : array (rows,)
        How many there are.
    residual : array (rows, patients)
        NaN where the value is missing.
    """

    estimate: Array
    unscaled: Array
    variance: Array
    df: Array
    mean: Array
    n: NDArray[np.int64]
    residual: Array


@dataclass(frozen=True, eq=False)
class ModeratedT:
    """One row a measurement, and the prior they share.

    Parameters
    ----------
    table : DataFrame
        difference (the contrast; of two groups the mean of group 1 minus that of group 0), lower, upper (its limits), mean, t, df, p, q
        (Benjamini-Hochberg), n, spread (the posterior standard deviation); index as given. A row whose values cannot tell the contrast is
        NaN.
    prior_df : float
        d0 (infinite where the variances differ no more than chance).
    prior_variance : float
        s0^2; with a trend, its median over rows.
    trend : array (rows,) or None
        The prior variance of each row, where it follows the level.
    """

    table: pd.DataFrame
    prior_df: float
    prior_variance: float
    trend: Array | None = None


def moderated_t(values: pd.DataFrame, group: ArrayLike) -> ModeratedT:
    """Compare two groups in many measurements by moderated t-statistics.

    Parameters
    ----------
    values : DataFrame, shape (measurements, patients)
        Usually on a log scale; missing values are left out, measurement by measurement.
    group : array of 0 and 1, shape (patients,)

    Raises
    ------
    TableError
        The group does not fit the table, or fewer than two measurements have a variance.
    """
    second = np.asarray(group) == 1
    if second.shape != (values.shape[1],) or not 0 < second.sum() < second.size:
        raise TableError(f"{values.shape[1]} patients but groups of shape {second.shape}; both groups need patients")
    return moderated_contrast(values, np.column_stack([np.ones(second.size), second]), [0.0, 1.0])


def moderated_contrast(
    values: pd.DataFrame, design: ArrayLike, contrast: ArrayLike, *, trend: bool = False, confidence: float = 0.95
) -> ModeratedT:
    """Test one contrast of the coefficients of a linear model in many measurements, by moderated t-statistics.

    Parameters
    ----------
    values : DataFrame, shape (measurements, patients)
        Missing values are left out: each row is fitted to the patients that have it.
    design : array, shape (patients, p)
        Complete: groups, batches, covariates.
    contrast : array, shape (p,)
        Weights of the coefficients.
    trend : bool
        The prior variance follows the row's mean (a natural spline, as limma's).
    confidence : float
        Of the limits.

    Raises
    ------
    TableError
        The design does not fit the table, or fewer than two measurements have a variance.
    """
    fits = fit_rows(values.to_numpy(dtype=np.float64), design, contrast)
    known = np.isfinite(fits.variance)
    if known.sum() < 2 or not (fits.variance[known] > 0).any():
        raise TableError(f"only {int(known.sum())} measurements have a residual variance; a shared prior needs two")
    floor = _LEAST_SHARE * (float(np.median(fits.variance[known])) or 1.0)
    prior_df, each = _prior(
        np.maximum(fits.variance[known], floor), fits.df[known], fits.mean[known] if trend else None, fits.mean
    )
    own = np.where(known, fits.variance, 0.0)
    shrunk: Array = each if np.isinf(prior_df) else (prior_df * each + fits.df * own) / (prior_df + fits.df)
    error = np.sqrt(shrunk) * fits.unscaled
    t = fits.estimate / error
    usable = np.isfinite(t)
    total = np.where(usable, np.minimum(prior_df + fits.df, fits.df.sum()), _NAN)
    p = 2 * stats.t.sf(np.abs(t), total)
    half = stats.t.ppf(0.5 + confidence / 2, total) * error
    table = pd.DataFrame(
        {
            "difference": fits.estimate, "lower": fits.estimate - half, "upper": fits.estimate + half, "mean": fits.mean,
            "t": t, "df": total, "p": p, "q": adjust_p(p, "benjamini-hochberg"), "n": fits.n, "spread": np.sqrt(shrunk),
        },
        index=values.index,
    )  # fmt: skip
    return ModeratedT(table, prior_df, float(np.median(each)), each if trend else None)


def fit_rows(x: Array, design: ArrayLike, contrast: ArrayLike) -> RowFits:
    """Fit every row of `x` (rows, patients) to the design by least squares, over the patients whose value is there.

    Rows that miss the same patients are fitted together.
    """
    model, weights = np.asarray(design, dtype=np.float64), np.asarray(contrast, dtype=np.float64)
    if model.ndim != 2 or len(model) != x.shape[1] or weights.shape != (model.shape[1],):
        raise TableError(
            f"a design of shape {model.shape} and a contrast of shape {weights.shape} for {x.shape[1]} patients; "
            "expected one row a patient and one weight a column"
        )
    if not np.isfinite(model).all():
        raise TableError("the design has missing values; expected every covariate of every patient")
    there = np.isfinite(x)
    rows = len(x)
    estimate, unscaled, variance = np.full(rows, _NAN), np.full(rows, _NAN), np.full(rows, _NAN)
    df, residual = np.zeros(rows), np.full(x.shape, _NAN)
    patterns, which = np.unique(there, axis=0, return_inverse=True)
    which = which.reshape(-1)
    for number, pattern in enumerate(patterns):
        mine = which == number
        if not pattern.any():
            continue
        y = x[np.ix_(mine, pattern)]
        left, size, right = np.linalg.svd(model[pattern], full_matrices=False)
        rank = int((size > size[0] * max(model.shape) * np.finfo(float).eps * 8).sum())
        left, size, right = left[:, :rank], size[:rank], right[:rank]
        along = y @ left
        rest = y - along @ left.T
        residual[np.ix_(mine, pattern)] = rest
        df[mine] = pattern.sum() - rank
        if pattern.sum() > rank:
            variance[mine] = (rest**2).sum(axis=1) / (pattern.sum() - rank)
        seen = right @ weights
        if np.abs(weights - seen @ right).max() < 1e-8 * max(1.0, np.abs(weights).max()):  # else it cannot be told
            estimate[mine] = (along / size) @ seen
            unscaled[mine] = np.sqrt(((seen / size) ** 2).sum())
    n = there.sum(axis=1)
    mean = np.divide(np.where(there, x, 0.0).sum(axis=1), n, out=np.full(rows, _NAN), where=n > 0)
    return RowFits(estimate, unscaled, variance, df, mean, n, residual)


def _prior(variance: Array, df: Array, level: Array | None, levels: Array) -> tuple[float, Array]:
    """Degrees of freedom and variance of the prior, of each of `levels`: moments of the log variances (Smyth 2004, section 6.2).

    With `level` the mean of the log variances is a natural spline of it.
    """
    e = np.log(variance) - special.digamma(df / 2) + np.log(df / 2)
    if level is None:
        middle = np.full(len(levels), e.mean())
        spread = float(e.var(ddof=1))
    else:
        basis, wanted = _spline(level, np.where(np.isfinite(levels), levels, level.mean()))
        found = np.linalg.lstsq(basis, e, rcond=None)[0]
        middle = wanted @ found
        spread = float(((e - basis @ found) ** 2).sum() / (len(e) - basis.shape[1]))
    excess = spread - float(special.polygamma(1, df / 2).mean())
    if excess <= 0:
        return float("inf"), np.exp(middle)
    half = _inverse_trigamma(excess)
    return 2 * half, np.exp(middle + special.digamma(half) - np.log(half))


def _spline(level: Array, wanted: Array) -> tuple[Array, Array]:
    """Natural cubic spline of a level: the columns at it and at other levels (truncated powers, Hastie et al., section 5.2.1).

    Knots at the ends and at even quantiles between; up to four columns, fewer with few rows, as limma.
    """
    columns = min(1 + (len(level) >= 3) + (len(level) >= 6) + (len(level) >= 30), len(np.unique(level)), len(level) - 1)
    if columns < 2:
        return np.ones((len(level), 1)), np.ones((len(wanted), 1))
    knots = np.quantile(level, np.linspace(0, 1, columns))
    scale = knots[-1] - knots[0]
    last = (knots[-1] - knots[0]) / scale

    def at(x: Array) -> Array:
        z = (x - knots[0]) / scale
        k = (knots - knots[0]) / scale
        cubes = np.maximum(z[:, None] - k[None, :-1], 0.0) ** 3 - np.maximum(z - last, 0.0)[:, None] ** 3
        slopes = cubes / (last - k[:-1])
        return np.column_stack([np.ones(len(x)), z, slopes[:, :-1] - slopes[:, -1:]])

    return at(level), at(wanted)


def _inverse_trigamma(value: float) -> float:
    """y with trigamma(y) = value, by Newton's method on 1 / trigamma (convex, so it cannot overshoot)."""
    y = 0.5 + 1 / value
    for _ in range(50):
        now = float(special.polygamma(1, y))
        step = now * (1 - now / value) / float(special.polygamma(2, y))
        y += step
        if -step / y < 1e-10:
            break
    return y
