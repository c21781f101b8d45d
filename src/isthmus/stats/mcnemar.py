"""Do two decisions on the same patients differ? McNemar's test (Psychometrika 1947;12:153)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.comparison import Comparison

__all__ = ["mcnemar"]

_EXACT_BELOW = 25


def mcnemar(
    first: ArrayLike, second: ArrayLike, *, method: Literal["auto", "exact", "corrected", "plain"] = "auto"
) -> Comparison:
    """Do two yes/no judgements of the same patients differ in their share of yes?

    Only the discordant pairs count: b patients with yes/no, c with no/yes.

    Parameters
    ----------
    first, second : arrays of bool, shape (n,)
        For two models: was the decision correct?
    method : {"auto", "exact", "corrected", "plain"}
        "exact": binomial; "corrected": chi-square with continuity correction; "plain": without. "auto": exact where fewer
        than 25 pairs are discordant, else corrected.

    Returns
    -------
    Comparison
        statistic: chi-square, or the smaller of b and c for the exact test; `method` states b and c.
    """
    a, z = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != z.shape:
        raise TableError(f"{a.size} judgements against {z.size}; McNemar's test needs pairs")
    b, c = int((a & ~z).sum()), int((~a & z).sum())
    return mcnemar_counts(b, c, method=method)


def mcnemar_counts(b: int, c: int, *, method: Literal["auto", "exact", "corrected", "plain"] = "auto") -> Comparison:
    """`mcnemar` from the numbers of discordant pairs."""
    pairs = b + c
    name = f"McNemar's test, {b} against {c} discordant pairs"
    if not pairs:
        return Comparison(0.0, 1.0, f"{name}; no difference at all")
    if method == "exact" or (method == "auto" and pairs < _EXACT_BELOW):
        return Comparison(float(min(b, c)), float(stats.binomtest(b, pairs).pvalue), f"{name}, exact")
    off = 0.0 if method == "plain" else 1.0
    statistic = max(0.0, abs(b - c) - off) ** 2 / pairs
    label = name if method == "plain" else f"{name}, continuity correction"
    return Comparison(statistic, float(stats.chi2.sf(statistic, 1)), label, 1.0)
