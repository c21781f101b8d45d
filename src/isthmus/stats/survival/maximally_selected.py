"""The cut of a score that separates survival most, with a p-value that pays for the search.

Lausen and Schumacher, Biometrics 1992;48:73: the largest standardised log-rank statistic over all cuts within a range of
quantiles, and the approximation of its tail. An uncorrected log-rank p at the best cut would be far too small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.survival.follow_up import check_follow_up, check_risk

__all__ = ["MaximallySelected", "log_rank_scores", "maximally_selected"]


@dataclass(frozen=True, slots=True)
class MaximallySelected:
    """The cut (a patient is in the upper group when his score is larger), its statistic and corrected p."""

    cut: float
    statistic: float
    p: float
    method: str


def log_rank_scores(time: ArrayLike, event: ArrayLike) -> Array:
    """One score a patient: his event minus the Nelson-Aalen hazard up to his time; they add up to 0."""
    when, happened = check_follow_up(time, event)
    times, where = np.unique(when, return_inverse=True)
    leaving = np.bincount(where, minlength=len(times))
    at_risk = when.size - np.concatenate([[0], np.cumsum(leaving)[:-1]])
    hazard = np.cumsum(np.bincount(where, happened, minlength=len(times)) / at_risk)
    return np.asarray(happened - hazard[where], dtype=np.float64)


def maximally_selected(
    time: ArrayLike, event: ArrayLike, score: ArrayLike, *, lowest: float = 0.1, highest: float = 0.9
) -> MaximallySelected:
    """Best cut of `score` among those that leave between the shares `lowest` and `highest` of patients below.

    Raises
    ------
    TableError
        No cut of the score lies in the range (too few different values).
    """
    when, happened, value = check_risk(time, event, score)
    if not 0 < lowest < highest < 1:
        raise TableError(f"maximally selected cut: expected 0 < lowest < highest < 1, got {lowest} and {highest}")
    a = log_rank_scores(when, happened)
    n = a.size
    order = np.argsort(value, kind="stable")
    below = np.arange(1, n)
    possible = (value[order][:-1] < value[order][1:]) & (below >= lowest * n) & (below <= highest * n)
    if not possible.any():
        raise TableError("maximally selected cut: the score has too few different values to be cut in this range")
    centred = a - a.mean()
    variance = float((centred**2).sum() / (n - 1))
    total = np.cumsum(centred[order])[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(total) / np.sqrt(variance * below * (n - below) / n)
    z = np.where(possible, z, -np.inf)
    best = int(np.argmax(z))
    cut = float((value[order][best] + value[order][best + 1]) / 2)
    if not value[order][best] < cut < value[order][best + 1]:
        cut = float(value[order][best])
    statistic = float(z[best])
    method = f"maximally selected log-rank statistic over {int(possible.sum())} cuts, Lausen and Schumacher 1992"
    return MaximallySelected(cut, statistic, _tail(statistic, lowest, highest), method)


def _tail(b: float, lowest: float, highest: float) -> float:
    """P(largest statistic > b): the approximation of Lausen and Schumacher, for b > 1."""
    if b <= 1:
        return 1.0
    density = float(stats.norm.pdf(b))
    odds = highest * (1 - lowest) / ((1 - highest) * lowest)
    return float(min(1.0, density * (b - 1 / b) * np.log(odds) + 4 * density / b))
