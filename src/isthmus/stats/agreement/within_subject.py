"""How far measurements of one subject scatter: test-retest, in the words of QIBA."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["WithinSubject", "within_subject"]


@dataclass(frozen=True, eq=False)
class WithinSubject:
    """Arrays (p,): within-subject sd, its ratio to the mean (coefficient of variation; NaN unless every measurement is
    positive), and the repeatability coefficient 1.96 sqrt(2) sd with its limits: two measurements of an unchanged subject differ
    by less in 95 % of cases."""

    sd: Array
    cv: Array
    repeatability: Array
    lower: Array
    upper: Array


def within_subject(values: ArrayLike, *, confidence: float = 0.95) -> WithinSubject:
    """Within-subject variation of each feature.

    Parameters
    ----------
    values : array, shape (subjects, repeats) or (subjects, repeats, features)
        Complete.
    confidence : float
        Of the limits (chi-square, n (k - 1) degrees of freedom).

    References
    ----------
    Raunig et al., Stat Methods Med Res 24:27-67, 2015.
    """
    table = np.asarray(values, dtype=np.float64)
    table = table[:, :, None] if table.ndim == 2 else table
    if table.ndim != 3 or table.shape[1] < 2 or not np.isfinite(table).all():
        raise TableError(f"within-subject variation needs 2 or more complete measurements of each; got {table.shape}")
    variance = table.var(axis=1, ddof=1)
    sd = np.sqrt(variance.mean(axis=0))
    positive = (table > 0).all(axis=(0, 1))
    relative = np.divide(variance, table.mean(axis=1) ** 2, out=np.full(variance.shape, np.nan), where=positive)
    degrees = table.shape[0] * (table.shape[1] - 1)
    scale = np.sqrt(degrees / stats.chi2.ppf([0.5 + confidence / 2, 0.5 - confidence / 2], degrees))
    repeatability = float(stats.norm.ppf(0.975) * np.sqrt(2)) * sd
    return WithinSubject(
        sd, np.sqrt(relative.mean(axis=0)), repeatability, repeatability * scale[0], repeatability * scale[1]
    )
