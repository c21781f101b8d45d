"""Two groups on a few ordered levels: exact conditional tests of a sum of scores, given how many patients each level and group has."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison
from isthmus.stats.groups import cochran_armitage, mann_whitney, ways_to_take

__all__ = ["exact_scores", "midranks", "trend_test", "wilcoxon_test"]

_NAN = float("nan")


def exact_scores(table: ArrayLike, scores: ArrayLike) -> float | None:
    """Two-sided p of the sum of scores of the second group: the chance of a sum as far from its mean, over all ways to share the patients
    of each level between the groups. None where there are too many ways.

    Parameters
    ----------
    table : array of counts, shape (k, 2)
    scores : array, shape (k,)
    """
    counts, at = np.asarray(table, dtype=np.int64), np.asarray(scores, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[1] != 2 or (counts < 0).any() or at.shape != (len(counts),):
        raise TableError(
            f"expected counts of levels by two groups and a score a level; got {counts.shape} and {at.shape}"
        )
    level, chosen = counts.sum(axis=1), int(counts[:, 1].sum())
    listed = ways_to_take(level[None, :], chosen)
    if listed is None:
        return None
    cells = listed[1]
    log = (special.gammaln(level + 1.0) - special.gammaln(cells + 1.0) - special.gammaln(level - cells + 1.0)).sum(
        axis=1
    )
    chance = np.exp(log - special.logsumexp(log))
    mean = chosen * (level @ at) / level.sum()
    apart = np.abs(cells @ at - mean)
    here = abs(float(counts[:, 1] @ at) - mean)
    return min(1.0, float(chance[apart >= here - 1e-9 * max(1.0, here)].sum()))


def midranks(table: ArrayLike) -> Array:
    """The mean rank of the patients of each level."""
    level = np.asarray(table, dtype=np.float64).sum(axis=1)
    ranks: Array = np.cumsum(level) - (level - 1) / 2
    return ranks


def wilcoxon_test(table: ArrayLike) -> Comparison:
    """Does a group lie on higher levels? Exact, with ties as they are; the statistic is the second group's sum of midranks."""
    return _tested(table, midranks(table), "Wilcoxon rank sum")


def trend_test(table: ArrayLike, scores: ArrayLike | None = None) -> Comparison:
    """Does the share of a group rise over the levels? Cochran and Armitage's test, exact; scores 1 to k by default."""
    at = np.arange(1.0, len(np.asarray(table)) + 1) if scores is None else np.asarray(scores, dtype=np.float64)
    return _tested(table, at, "Cochran-Armitage trend")


def _tested(
    table: ArrayLike, scores: Array, name: Literal["Wilcoxon rank sum", "Cochran-Armitage trend"]
) -> Comparison:
    counts = np.asarray(table, dtype=np.int64)
    if (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) > 0).sum() < 2:
        return Comparison(_NAN, _NAN, f"{name}; not computed: an empty group, or one level only")
    statistic, p = float(counts[:, 1] @ scores), exact_scores(counts, scores)
    if p is not None:
        return Comparison(statistic, p, f"{name}, exact")
    if name == "Cochran-Armitage trend":
        return Comparison(statistic, cochran_armitage(counts, scores).p, f"{name}, normal approximation")
    values = [np.repeat(np.arange(len(counts)), counts[:, side]) for side in (1, 0)]
    return Comparison(statistic, mann_whitney(*values, method="asymptotic").p, f"{name}, normal approximation")
