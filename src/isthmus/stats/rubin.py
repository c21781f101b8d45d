"""Pooling over multiple imputations: Rubin's rules, with the degrees of freedom of Barnard and Rubin.

Rubin 1987; Barnard and Rubin, Biometrika 1999;86:948; several coefficients at once: Li, Raghunathan and Rubin, J Am Stat Assoc
1991;86:1065.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.comparison import Comparison

__all__ = ["Pooled", "pool", "pooled_wald"]


@dataclass(frozen=True, slots=True)
class Pooled:
    """One number over m imputations.

    estimate : mean of the estimates. within, between : mean of their variances, variance of the estimates. total : variance of the mean.
    df : Barnard and Rubin's. increase : relative increase in variance due to the gaps. missing_information : its fraction.
    """

    estimate: float
    within: float
    between: float
    total: float
    df: float
    increase: float
    missing_information: float

    @property
    def se(self) -> float:
        return float(np.sqrt(self.total))

    @property
    def p(self) -> float:
        """Two-sided, of the estimate being 0."""
        return float(2 * stats.t.sf(abs(self.estimate) / self.se, self.df)) if self.se > 0 else float("nan")

    def limits(self, confidence: float = 0.95) -> tuple[float, float]:
        half = float(stats.t.ppf(0.5 + confidence / 2, self.df)) * self.se
        return self.estimate - half, self.estimate + half


def pool(estimates: ArrayLike, variances: ArrayLike, *, complete_df: float = np.inf) -> Pooled:
    """Rubin's rules for one number.

    Parameters
    ----------
    estimates, variances : arrays, shape (m,)
        Of the completed tables; m of 2 or more.
    complete_df : float
        Degrees of freedom if nothing were missing: patients minus coefficients.
    """
    q, u = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    m = q.size
    if m < 2 or u.shape != q.shape:
        raise TableError(f"pooling needs as many variances as estimates, at least 2; got {q.shape} and {u.shape}")
    within, between = float(u.mean()), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = max(
        (1 + 1 / m) * between / total if total > 0 else 0.0, 1e-4
    )  # mice's floor: without gaps df would be infinite
    old = (m - 1) / share**2
    df = old
    if np.isfinite(complete_df):
        observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
        df = old * observed / (old + observed)
    increase = (1 + 1 / m) * between / within if within > 0 else float("nan")
    missing = (increase + 2 / (df + 3)) / (increase + 1)
    return Pooled(float(q.mean()), within, between, total, float(df), increase, missing)


def pooled_wald(estimates: ArrayLike, covariances: ArrayLike) -> Comparison:
    """Are several coefficients all 0? (D1 of Li, Raghunathan and Rubin)

    Parameters
    ----------
    estimates : array, shape (m, k)
    covariances : array, shape (m, k, k)
    """
    q, u = np.asarray(estimates, dtype=np.float64), np.asarray(covariances, dtype=np.float64)
    m, k = q.shape
    mean, within = q.mean(axis=0), u.mean(axis=0)
    between = np.atleast_2d(np.cov(q, rowvar=False))
    increase = (1 + 1 / m) * float(np.trace(between @ np.linalg.inv(within))) / k
    statistic = float(mean @ np.linalg.solve((1 + increase) * within, mean)) / k
    t = k * (m - 1)
    if increase <= 0:
        df = np.inf
    elif t > 4:
        df = 4 + (t - 4) * (1 + (1 - 2 / t) / increase) ** 2
    else:
        df = t * (1 + 1 / k) * (1 + 1 / increase) ** 2 / 2
    p = float(stats.f.sf(statistic, k, df)) if np.isfinite(df) else float(stats.chi2.sf(statistic * k, k))
    return Comparison(statistic, p, "pooled Wald test (D1)", float(k))
