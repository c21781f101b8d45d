"""Do predicted probabilities of the event by a time (the horizon) mean what they say?

Observed probabilities are Kaplan-Meier estimates: overall (O:E), in groups of predicted probability, and smoothed by a loess
through pseudo-values (Andersen et al., Biometrika 2003;90:15), whose mean distance from the predictions is the ICI
(Austin et al., Stat Med 2020;39:2714).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.interval import Interval
from isthmus.stats.survival.cox import cox_regression
from isthmus.stats.survival.follow_up import check_risk
from isthmus.stats.survival.kaplan_meier import kaplan_meier

__all__ = ["calibration_groups_at", "calibration_slope", "ici_at", "observed_expected_at", "pseudo_values"]

_NAN = float("nan")
_FEWEST = 30
_EDGE = 1e-10


def observed_expected_at(
    time: ArrayLike, event: ArrayLike, probability: ArrayLike, at: float, confidence: float = 0.95
) -> Interval:
    """Kaplan-Meier probability of the event by the time `at` over the mean predicted one; interval on the log scale."""
    when, happened, p = check_risk(time, event, probability)
    estimate = kaplan_meier(when, happened)
    observed, expected = 1.0 - float(estimate.at(at)), float(p.mean())
    if expected <= 0:
        return Interval(_NAN, _NAN, _NAN, "not computed: no events expected")
    ratio = observed / expected
    index = int(np.searchsorted(estimate.time, at, side="right")) - 1
    error = float(estimate.standard_error[index]) if index >= 0 else _NAN
    if observed <= 0 or not error > 0:
        return Interval(ratio, _NAN, _NAN, "Kaplan-Meier over mean prediction; no interval: no event by then, or all")
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * error / observed
    return Interval(
        ratio, float(ratio * np.exp(-half)), float(ratio * np.exp(half)), "Kaplan-Meier over mean prediction, Greenwood"
    )


def calibration_slope(time: ArrayLike, event: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Interval:
    """Coefficient of log(-log(1 - p)) in a Cox model of these patients: 1 is ideal, below 1 the risks are too extreme.

    `probability` is that of the event by any one time; under proportional hazards the time does not matter.
    """
    when, happened, p = check_risk(time, event, probability)
    clipped = np.clip(p, _EDGE, 1 - _EDGE)
    score = np.log(-np.log1p(-clipped))
    try:
        fit = cox_regression(score[:, None], when, happened)
    except TableError as exc:
        return Interval(_NAN, _NAN, _NAN, f"not computed: {exc}")
    slope, se = float(fit.coefficients[0]), float(fit.standard_errors[0])
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * se
    moved = int((clipped != p).sum())
    note = f"; {moved} predictions of exactly 0 or 1 moved by 1e-10" if moved else ""
    return Interval(slope, slope - half, slope + half, f"Cox regression on log(-log(1 - p)), Wald{note}")


def calibration_groups_at(
    time: ArrayLike, event: ArrayLike, probability: ArrayLike, at: float, *, groups: int = 5, confidence: float = 0.95
) -> pd.DataFrame:
    """Mean predicted and Kaplan-Meier probability of the event by the time `at` in groups of predicted probability.

    Returns
    -------
    DataFrame
        group, n, n_events (by then), predicted, observed, lower, upper.
    """
    when, happened, p = check_risk(time, event, probability)
    edges = np.quantile(p, np.linspace(0, 1, groups + 1)[1:-1])
    member = np.searchsorted(np.unique(edges), p, side="left")
    rows = []
    for position, label in enumerate(np.unique(member), start=1):
        own = member == label
        estimate = kaplan_meier(when[own], happened[own], confidence=confidence)
        index = int(np.searchsorted(estimate.time, at, side="right")) - 1
        survival, low, high = (
            (estimate.survival[index], estimate.lower[index], estimate.upper[index]) if index >= 0 else (1.0, 1.0, 1.0)
        )
        rows.append(
            {
                "group": position,
                "n": int(own.sum()),
                "n_events": int((happened[own] & (when[own] <= at)).sum()),
                "predicted": float(p[own].mean()),
                "observed": 1.0 - float(survival),
                "lower": 1.0 - float(high),
                "upper": 1.0 - float(low),
            }
        )
    return pd.DataFrame(rows)


def pseudo_values(time: ArrayLike, event: ArrayLike, at: float) -> Array:
    """What each patient adds to the Kaplan-Meier probability of the event by the time `at` (leave-one-out), shape (n,).

    Without censoring this is his 0 or 1.
    """
    when, happened, _ = check_risk(time, event, np.zeros(np.shape(time)))
    n = when.size
    if n < 2:
        raise TableError("pseudo-values need two patients or more")
    times, where = np.unique(when, return_inverse=True)
    inside = times <= at
    events = np.bincount(where, happened, minlength=len(times))[inside]
    leaving = np.bincount(where, minlength=len(times))
    at_risk = (n - np.concatenate([[0], np.cumsum(leaving)[:-1]]))[inside]
    whole = float(np.prod(1.0 - events / at_risk))
    left = times[inside][None, :]
    own_risk = when[:, None] >= left
    own_event = (when[:, None] == left) & happened[:, None]
    rest = at_risk - own_risk
    share = np.divide(events - own_event, rest, out=np.zeros(rest.shape), where=rest > 0)
    without = np.prod(1.0 - share, axis=1)
    return np.asarray(1.0 - (n * whole - (n - 1) * without))


def ici_at(time: ArrayLike, event: ArrayLike, probability: ArrayLike, at: float) -> tuple[float, str]:
    """Mean distance of predicted from smoothed observed probabilities, and how it was smoothed.

    Observed: loess (span 0.75, degree 2) of the pseudo-values on the predictions, cut to [0, 1].
    """
    _, _, p = check_risk(time, event, probability)
    if len(np.unique(p)) < _FEWEST:
        return _NAN, f"not computed: fewer than {_FEWEST} different predictions"
    from skmisc.loess import loess

    smooth = loess(p, pseudo_values(time, event, at), span=0.75, degree=2)
    try:
        smooth.fit()
    except ValueError as exc:
        return _NAN, f"not computed: the loess is singular ({exc})"
    fitted = np.clip(np.asarray(smooth.outputs.fitted_values, dtype=np.float64), 0.0, 1.0)
    return float(np.abs(p - fitted).mean()), "loess of pseudo-values"
