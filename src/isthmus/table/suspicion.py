"""Rule L10: a predictor that tells the outcome all by itself was probably made from it, or measured after it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from isthmus.table.outcome import Outcome
from isthmus.table.problem import Problem

__all__ = ["suspects"]

_AUC = 0.99
# a perfect split must be this much rarer than one in the number of columns before it is called suspicious
_RARE = 1000


def suspects(values: pd.DataFrame, outcome: Outcome, patients: pd.Index[Any]) -> list[Problem]:
    """Predictors that alone tell a binary outcome (AUC at least 0.99), as notes.

    Parameters
    ----------
    values : DataFrame, index = patient
        Numbers or categories; a category counts by how often the outcome occurs in it.
    outcome : Outcome
        Other than binary ones are not looked at.
    patients : Index
        Whom to look at: the training patients, since nothing may be learnt from external ones.

    Returns
    -------
    list of Problem
        Only where chance does not explain it: so many patients that no column among so many would do this by luck.
    """
    if outcome.task != "binary":
        return []
    shared = patients.intersection(values.index).intersection(outcome.patients)
    events = outcome.values.loc[shared].to_numpy() == 1
    found = []
    for name in values.columns:
        scores = _scores(values.loc[shared, name], events)
        known = ~np.isnan(scores)
        n, n_events = int(known.sum()), int(events[known].sum())
        if math.comb(n, n_events) < _RARE * len(values.columns):
            continue
        auc = _auc(scores[known], events[known])
        if max(auc, 1 - auc) >= _AUC:
            found.append(
                Problem(
                    str(name),
                    f"tells the outcome all by itself (AUC {max(auc, 1 - auc):.3f} in {n} training patients)",
                    "a predictor that is known before the outcome",
                    "was it measured after the outcome, or made from it? Then take it out (rule L10)",
                    "note",
                )
            )
    return found


def _scores(
    column: pd.Series[Any], events: np.ndarray[Any, np.dtype[np.bool_]]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Numbers as they are; categories, if they are not nearly as many as patients, as the outcome's share in them."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return np.asarray(column, dtype=np.float64)
    if column.nunique() > column.notna().sum() / 5:
        return np.full(len(column), np.nan)
    shares = pd.Series(events.astype(np.float64), index=column.index).groupby(column).transform("mean")
    return np.asarray(shares.where(column.notna()), dtype=np.float64)


def _auc(scores: np.ndarray[Any, np.dtype[np.float64]], events: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """Probability that an event has the higher score, ties half."""
    n_events = int(events.sum())
    n_others = len(events) - n_events
    rank_sum = float(rankdata(scores)[events].sum())
    return (rank_sum - n_events * (n_events + 1) / 2) / (n_events * n_others)
