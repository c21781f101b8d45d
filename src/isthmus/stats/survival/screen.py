"""Every column of a table alone against a time to an event: the score test of Cox's model, all columns at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.constant import constant_columns
from isthmus.stats.survival.follow_up import check_follow_up
from isthmus.stats.univariate import Screen

__all__ = ["cox_screen"]


def cox_screen(columns: ArrayLike, time: ArrayLike, event: ArrayLike) -> Screen:
    """The score test of a Cox model with one column, of each column; ties by Efron. Of two groups it is the log-rank test.

    Parameters
    ----------
    columns : array, shape (n, p)
        Complete and finite.
    time, event : array, shape (n,)

    Returns
    -------
    Screen
        statistic and strength: chi-squared on one degree of freedom.

    Raises
    ------
    TableError
        Nobody has the event.

    References
    ----------
    Cox, J R Stat Soc B 1972;34:187; Efron, JASA 1977;72:557.
    """
    values = np.asarray(columns, dtype=np.float64)
    when, happened = check_follow_up(time, event)
    if not happened.any():
        raise TableError("no patient has the event, so no column can be related to it")
    constant = constant_columns(values)
    scale = np.where(constant, 1.0, values.std(axis=0))
    centred = (values - values.mean(axis=0)) / scale  # the statistic does not change; squares keep their digits
    order = np.argsort(-when, kind="stable")  # who is at risk at a time stands before everybody whose time is shorter
    x, when, happened = centred[order], when[order], happened[order]
    sums, squares = np.cumsum(x, axis=0), np.cumsum(x**2, axis=0)
    score, information = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for moment in np.unique(when[happened]):
        last = int(np.searchsorted(-when, -moment, side="right"))  # so many are at risk
        failed = x[:last][(when[:last] == moment) & happened[:last]]
        score += failed.sum(axis=0)
        for gone in np.arange(len(failed)) / len(failed):
            left = last - gone * len(failed)
            mean = (sums[last - 1] - gone * failed.sum(axis=0)) / left
            score -= mean
            information += (squares[last - 1] - gone * (failed**2).sum(axis=0)) / left - mean**2
    told = ~constant & (information > 1e-12)
    statistic = np.where(told, score**2 / np.where(told, information, 1.0), 0.0)
    return Screen(statistic, stats.chi2.sf(statistic, 1), statistic)
