"""Rule L10: a predictor that tells the outcome all by itself was probably made from it, or measured after it; one that runs along with
the patients' numbers or a date says when a patient came, not what he has."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from isthmus.table.outcome import Outcome
from isthmus.table.problem import Problem

__all__ = ["numbered", "suspects"]

_AUC = 0.99
_ALONG = 0.999  # rank agreement with the patients' numbers
_FEWEST = 20  # with fewer patients, ranks agree by chance among a thousand columns
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


def numbered(values: pd.DataFrame, outcome: Outcome, patients: pd.Index[Any]) -> list[Problem]:
    """Columns that run along with the numbers in the patients' names, and an outcome that does, as notes.

    Parameters
    ----------
    values : DataFrame, index = patient
        Columns of text are not looked at.
    outcome : Outcome
    patients : Index
        Whom to look at: the training patients.

    Returns
    -------
    list of Problem
        Columns whose rank agreement (|Spearman|) with the patients' numbers is 0.999 and more; and, for a binary outcome, numbers
        that tell it (AUC 0.99 and more): cases were numbered by outcome, so what changed while they were collected tells it too.
    """
    from scipy.stats import rankdata

    shared = patients.intersection(values.index).intersection(outcome.patients)
    digits = [re.findall(r"\d+", str(name)) for name in shared]
    number = np.array([float(found[-1]) if found else np.nan for found in digits])
    if len(shared) < _FEWEST or not np.isfinite(number).all() or len(np.unique(number)) < len(number):
        return []
    found = []
    numeric = values.loc[shared].select_dtypes("number")
    table = numeric.to_numpy(dtype=np.float64)
    usable = np.isfinite(table).all(axis=0) & (np.ptp(np.nan_to_num(table), axis=0) > 0)
    ranks = rankdata(table[:, usable], axis=0)
    along = np.corrcoef(np.column_stack([rankdata(number), ranks]), rowvar=False)[0, 1:] if usable.any() else []
    for name, agreement in zip(numeric.columns[usable], along, strict=True):
        if abs(agreement) >= _ALONG:
            found.append(
                Problem(
                    str(name),
                    f"runs along with the patients' numbers (rank agreement {agreement:.4f} in {len(shared)} training patients)",
                    "a measurement, not a running number or a date",
                    "take it out if it says when a patient came (rule L10)",
                    "note",
                )
            )
    if outcome.task == "binary":
        events = outcome.values.loc[shared].to_numpy() == 1
        counts, aucs = _aucs(number[:, None], events)
        (n, n_events), auc = counts[0], aucs[0]
        if max(auc, 1 - auc) >= _AUC and math.comb(n, n_events) >= _RARE:
            found.append(
                Problem(
                    "patient",
                    f"the patients' numbers tell the outcome (AUC {max(auc, 1 - auc):.3f} in {n} training patients)",
                    "numbers that say nothing",
                    "cases seem to have been collected class by class: did scanner, protocol or reader change in between? (rule L10)",
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
