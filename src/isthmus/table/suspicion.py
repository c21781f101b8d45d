"""Rule L10: a predictor that tells the outcome all by itself was probably made from it, or measured after it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

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
    if not len(shared):
        return []
    columns = values.loc[shared]
    scores = np.column_stack([_scores(columns[name], events) for name in columns.columns])
    counts, aucs = _aucs(scores, events)
    found = []
    for name, (n, n_events), auc in zip(columns.columns, counts, aucs, strict=True):
        if max(auc, 1 - auc) < _AUC or math.comb(n, n_events) < _RARE * len(columns.columns):
            continue
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


def _aucs(
    scores: np.ndarray[Any, np.dtype[np.float64]], events: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[list[tuple[int, int]], list[float]]:
    """Patients and events with a value, and the probability that an event has the higher score (ties half), per column."""
    from scipy.stats import rankdata

    known = ~np.isnan(scores)
    totals = known.sum(axis=0)
    n_events = (known & events[:, None]).sum(axis=0)
    ranks = rankdata(np.where(known, scores, np.inf), axis=0)  # missing ones rank last and change no other rank
    rank_sums = np.where(known & events[:, None], ranks, 0).sum(axis=0)
    pairs = n_events * (totals - n_events)
    aucs = np.where(pairs > 0, (rank_sums - n_events * (n_events + 1) / 2) / np.maximum(pairs, 1), 0.5)
    return [(int(n), int(k)) for n, k in zip(totals, n_events, strict=True)], [float(auc) for auc in aucs]
