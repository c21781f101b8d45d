"""Moderated t-statistics: many measurements (proteins, features) on few patients, their variances borrowing strength.

Smyth, Stat Appl Genet Mol Biol 2004;3:3 (limma). The residual variances are taken as draws around one prior variance s0^2
with d0 degrees of freedom, both estimated from all rows; each row's variance is shrunk towards it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.groups import adjust_p

__all__ = ["ModeratedT", "moderated_t"]

_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class ModeratedT:
    """One row a measurement, and the prior they share.

    Parameters
    ----------
    table : DataFrame
        difference (mean of group 1 minus mean of group 0), mean, t, df, p, q (Benjamini-Hochberg), n; index as given. A row
        with fewer than one value in a group or no residual degree of freedom is NaN and takes no part in the prior.
    prior_df, prior_variance : float
        d0 (infinite where the variances differ no more than chance) and s0^2.
    """

    table: pd.DataFrame
    prior_df: float
    prior_variance: float


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
    x = values.to_numpy(dtype=np.float64)
    second = np.asarray(group) == 1
    if second.shape != (x.shape[1],) or not 0 < second.sum() < second.size:
        raise TableError(f"{x.shape[1]} patients but groups of shape {second.shape}; both groups need patients")
    there = np.isfinite(x)
    n1, n0 = (there & second).sum(axis=1), (there & ~second).sum(axis=1)
    mean1, mean0 = (_mean(x, there & side, n) for side, n in ((second, n1), (~second, n0)))
    fitted = np.where(second, mean1[:, None], mean0[:, None])
    df = (n1 + n0 - 2).astype(np.float64)
    usable = (n1 > 0) & (n0 > 0) & (df > 0)
    squares = np.where(there, x - fitted, 0.0) ** 2
    variance = np.divide(squares.sum(axis=1), df, out=np.full(len(x), _NAN), where=usable)
    usable &= variance > 0
    if usable.sum() < 2:
        raise TableError(f"only {int(usable.sum())} measurements have a residual variance; a shared prior needs two")
    prior_df, prior_variance = _prior(variance[usable], df[usable])
    shrunk = np.full(len(x), prior_variance)
    if np.isfinite(prior_df):
        shrunk = (prior_df * prior_variance + df * variance) / (prior_df + df)
    t = np.full(len(x), _NAN)
    t[usable] = (mean1 - mean0)[usable] / np.sqrt(shrunk[usable] * (1 / n1[usable] + 1 / n0[usable]))
    total = np.minimum(prior_df + df, df[usable].sum())
    p = 2 * stats.t.sf(np.abs(t), np.where(usable, total, 1.0))
    overall = _mean(x, there, there.sum(axis=1))
    table = pd.DataFrame(
        {"difference": mean1 - mean0, "mean": overall, "t": t, "df": np.where(usable, total, _NAN), "p": p},
        index=values.index,
    )
    return ModeratedT(table.assign(q=adjust_p(p, "benjamini-hochberg"), n=n1 + n0), prior_df, prior_variance)


def _mean(
    x: Array, chosen: np.ndarray[tuple[int, int], np.dtype[np.bool_]], n: np.ndarray[tuple[int], np.dtype[np.int_]]
) -> Array:
    """Mean of the chosen values of each row; NaN where there are none."""
    return np.divide(np.where(chosen, x, 0.0).sum(axis=1), n, out=np.full(len(x), _NAN), where=n > 0)


def _prior(variance: Array, df: Array) -> tuple[float, float]:
    """Degrees of freedom and variance of the prior: moments of the log variances (Smyth 2004, section 6.2)."""
    e = np.log(variance) - special.digamma(df / 2) + np.log(df / 2)
    excess = float(e.var(ddof=1) - special.polygamma(1, df / 2).mean())
    if excess <= 0:
        return float("inf"), float(np.exp(e.mean()))
    half = _inverse_trigamma(excess)
    return 2 * half, float(np.exp(e.mean() + special.digamma(half) - np.log(half)))


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
