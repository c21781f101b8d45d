"""Do groups of patients differ in their time to event? The log-rank test (Mantel; Peto and Peto 1972)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.stats.comparison import Comparison
from isthmus.stats.survival.follow_up import check_follow_up

__all__ = ["log_rank"]

_NAN = float("nan")


def log_rank(time: ArrayLike, event: ArrayLike, group: ArrayLike) -> Comparison:
    """Log-rank test of two or more groups: chi-square, p and degrees of freedom.

    Parameters
    ----------
    time, event : arrays, shape (n,)
    group : array, shape (n,)
        Any label per patient.
    """
    when, happened = check_follow_up(time, event)
    labels, member = np.unique(np.asarray(group), return_inverse=True)
    method = f"log-rank test of {len(labels)} groups"
    if len(labels) < 2:
        return Comparison(_NAN, _NAN, f"{method}; not computed: fewer than two groups")
    moments = np.unique(when[happened])
    at_risk = np.zeros((len(moments), len(labels)))
    events = np.zeros_like(at_risk)
    for g in range(len(labels)):
        own = np.sort(when[member == g])
        at_risk[:, g] = own.size - np.searchsorted(own, moments, side="left")
        found = np.searchsorted(moments, when[(member == g) & happened])
        events[:, g] = np.bincount(found, minlength=len(moments))
    n, d = at_risk.sum(axis=1), events.sum(axis=1)
    share = at_risk / n[:, None]
    difference = (events - d[:, None] * share).sum(axis=0)
    scale = np.where(n > 1, d * (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.diag(scale @ share) - (share * scale[:, None]).T @ share
    df = len(labels) - 1
    if np.linalg.matrix_rank(variance[:df, :df]) < df:
        return Comparison(_NAN, _NAN, f"{method}; not computed: a group is never at risk of an event", float(df))
    statistic = float(difference[:df] @ np.linalg.solve(variance[:df, :df], difference[:df]))
    return Comparison(statistic, float(stats.chi2.sf(statistic, df)), method, float(df))
