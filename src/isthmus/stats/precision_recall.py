"""Precision and recall: how many of those called positive have the event, and how many of the events are called.

Unlike the ROC curve this depends on the prevalence, which is its baseline: a curve is never shown without it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from isthmus.errors import TableError
from isthmus.stats.binary import check_scores
from isthmus.stats.roc import weighted_average_precision

__all__ = ["average_precision", "precision_recall_curve"]


def precision_recall_curve(y: ArrayLike, score: ArrayLike) -> pd.DataFrame:
    """One point per distinct score, from the highest down.

    Returns
    -------
    DataFrame
        threshold (called positive: score >= threshold), recall (sensitivity), precision (PPV). Between points the curve is a
        step, not a line (Davis and Goadrich, ICML 2006).
    """
    event, values = check_scores(y, score)
    events = int(event.sum())
    if not events:
        raise TableError("a precision-recall curve needs patients with the event; there are none")
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.r_[values[order][1:] != values[order][:-1], True])
    hits = np.cumsum(event[order])[last]
    return pd.DataFrame({"threshold": values[order][last], "recall": hits / events, "precision": hits / (last + 1)})


def average_precision(y: ArrayLike, score: ArrayLike) -> float:
    """Area under the precision-recall steps; NaN without events. Compare with the prevalence."""
    event, values = check_scores(y, score)
    return float(weighted_average_precision(event, values, np.ones((1, event.size)))[0])
