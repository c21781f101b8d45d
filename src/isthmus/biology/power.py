"""What the samples at hand can find: power of the moderated t-test for one protein of usual spread."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, stats

__all__ = ["GRID", "detectable", "fdr_level", "power_at", "power_table"]

GRID = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""log2 fold changes of the table."""

_CHANGED = 0.05  # share of the proteins that differ, where nothing is known
_POWER = 0.8


def power_at(difference: float, error: float, df: float, alpha: float) -> float:
    """Power of the two-sided t-test of a difference whose standard error is known to be about `error`."""
    if not np.isfinite(df):
        cut, shift = stats.norm.isf(alpha / 2), difference / error
        return float(stats.norm.sf(cut - shift) + stats.norm.cdf(-cut - shift))
    cut = stats.t.isf(alpha / 2, df)
    shift = difference / error
    power = stats.nct.sf(cut, df, shift) + stats.nct.cdf(-cut, df, shift)
    return float(power) if np.isfinite(power) else 1.0


def fdr_level(fdr: float, changed: float = _CHANGED, power: float = _POWER) -> float:
    """The level a test of one protein has where the false discovery rate is `fdr` (Jung, Bioinformatics 2005;21:3097).

    Of m tests, (1 - changed) m alpha are found by chance and changed m power truly; alpha makes the chance ones the share `fdr`.
    """
    return min(fdr * changed * power / ((1 - changed) * (1 - fdr)), fdr)


def detectable(error: float, df: float, alpha: float, power: float = _POWER) -> float:
    """The difference that is found with this power."""
    high = error
    while power_at(high, error, df, alpha) < power:
        high *= 2
    return float(optimize.brentq(lambda d: power_at(d, error, df, alpha) - power, 1e-9 * error, high))


def power_table(error: float, df: float, fdr: float) -> pd.DataFrame:
    """`log2_fold_change, power_single, power_fdr`: for one protein alone at 0.05, and at the level that the false discovery rate leaves."""
    level = fdr_level(fdr)
    rows = [(d, power_at(d, error, df, 0.05), power_at(d, error, df, level)) for d in GRID]
    return pd.DataFrame(rows, columns=["log2_fold_change", "power_single", "power_fdr"])
