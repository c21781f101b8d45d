"""Predictions of what happens by a time, judged with inverse probability of censoring weights.

Time-dependent AUC (cumulative cases, dynamic controls): Blanche et al., Stat Med 2013;32:5381. Brier score: Graf et al., Stat
Med 1999;18:2529. IPA = 1 - Brier / Brier of the Kaplan-Meier estimate: Kattan and Gerds, Diagn Progn Res 2018;2:7.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from isthmus.stats.binary import Array
from isthmus.stats.survival.censoring import CensoringFree, censoring_free, inverse_weights
from isthmus.stats.survival.follow_up import check_risk
from isthmus.stats.survival.kaplan_meier import kaplan_meier

__all__ = ["auc_at", "brier_at", "ipa_at", "null_brier_at"]

_NAN = float("nan")


def _free(time: ArrayLike, event: ArrayLike, censoring: CensoringFree | None) -> CensoringFree:
    return censoring_free(time, event) if censoring is None else censoring


def auc_at(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, at: float, *, censoring: CensoringFree | None = None
) -> float:
    """Probability that a patient with the event by the time `at` has a larger risk than one still free of it.

    `censoring` is the censoring distribution; by default that of the patients given. NaN without cases or controls.
    """
    when, happened, value = check_risk(time, event, risk)
    case, control = inverse_weights(when, happened, at, _free(when, happened, censoring))
    order = np.argsort(value, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(value[order]) != 0]) if value.size else np.array([], dtype=int)
    above = np.add.reduceat(case[order], starts) if starts.size else np.zeros(0)
    below = np.add.reduceat(control[order], starts) if starts.size else np.zeros(0)
    under = np.cumsum(below) - below / 2
    total = case.sum() * control.sum()
    return float((above * under).sum() / total) if total > 0 else _NAN


def brier_at(
    time: ArrayLike, event: ArrayLike, probability: ArrayLike, at: float, *, censoring: CensoringFree | None = None
) -> float:
    """Mean squared error of the predicted probability of the event by the time `at`, weighted for censoring."""
    when, happened, p = check_risk(time, event, probability)
    case, control = inverse_weights(when, happened, at, _free(when, happened, censoring))
    error: Array = case * (1.0 - p) ** 2 + control * p**2
    return float(error.mean()) if when.size else _NAN


def null_brier_at(time: ArrayLike, event: ArrayLike, at: float, *, censoring: CensoringFree | None = None) -> float:
    """The Brier score of giving everybody the Kaplan-Meier probability."""
    when = np.asarray(time, dtype=np.float64)
    p = 1.0 - float(kaplan_meier(time, event).at(at))
    return brier_at(time, event, np.full(when.shape, p), at, censoring=censoring)


def ipa_at(
    time: ArrayLike, event: ArrayLike, probability: ArrayLike, at: float, *, censoring: CensoringFree | None = None
) -> float:
    """Index of prediction accuracy: 1 is perfect, 0 no better than the Kaplan-Meier probability for everybody."""
    nothing = null_brier_at(time, event, at, censoring=censoring)
    return 1.0 - brier_at(time, event, probability, at, censoring=censoring) / nothing if nothing > 0 else _NAN
