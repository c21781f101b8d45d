"""Decisions against outcomes: sensitivity, specificity, predictive values and their relatives.

Everything works on numbers and on arrays of bootstrap draws alike. A rate without anyone in its denominator is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_outcome
from isthmus.stats.interval import Interval

__all__ = [
    "PROPORTIONS",
    "SUMMARIES",
    "Counts",
    "accuracy",
    "balanced_accuracy",
    "count",
    "diagnostic_odds_ratio",
    "f1",
    "f2",
    "f3",
    "f_beta",
    "g_mean",
    "kappa",
    "likelihood_ratio_negative",
    "likelihood_ratio_positive",
    "mcc",
    "npv",
    "npv_at_prevalence",
    "ppv",
    "ppv_at_prevalence",
    "proportion_interval",
    "sensitivity",
    "specificity",
]

Number = float | Array


@dataclass(frozen=True, eq=False)
class Counts:
    """True and false positives, true and false negatives: numbers, or arrays with one entry per bootstrap draw.

    They need not be whole: over repeats of cross-validation they are averages.
    """

    tp: Number
    fp: Number
    tn: Number
    fn: Number


def count(y: ArrayLike, predicted: ArrayLike) -> Counts:
    """The two-by-two table of outcome and decision (both 0/1), as whole numbers."""
    event, called = check_outcome(y), check_outcome(predicted)
    if event.size != called.size:
        raise TableError(f"{event.size} outcomes but {called.size} decisions; expected one decision per patient")
    return Counts(
        float((event & called).sum()),
        float((~event & called).sum()),
        float((~event & ~called).sum()),
        float((event & ~called).sum()),
    )


def _over(top: Number, bottom: Number) -> Array:
    """Quotient, NaN where the denominator is zero."""
    top, bottom = np.broadcast_arrays(np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64))
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)


def sensitivity(c: Counts) -> Array:
    """Share of patients with the event who are called positive."""
    return _over(c.tp, c.tp + c.fn)


def specificity(c: Counts) -> Array:
    """Share of patients without the event who are called negative."""
    return _over(c.tn, c.tn + c.fp)


def ppv(c: Counts) -> Array:
    """Share of those called positive who have the event."""
    return _over(c.tp, c.tp + c.fp)


def npv(c: Counts) -> Array:
    """Share of those called negative who do not have the event."""
    return _over(c.tn, c.tn + c.fn)


def accuracy(c: Counts) -> Array:
    """Share of correct decisions."""
    return _over(c.tp + c.tn, c.tp + c.fp + c.tn + c.fn)


def balanced_accuracy(c: Counts) -> Array:
    """Mean of sensitivity and specificity."""
    return (sensitivity(c) + specificity(c)) / 2


def g_mean(c: Counts) -> Array:
    """Geometric mean of sensitivity and specificity."""
    return np.sqrt(sensitivity(c) * specificity(c))


def f1(c: Counts) -> Array:
    """Harmonic mean of sensitivity and positive predictive value, 2TP / (2TP + FP + FN)."""
    return _over(2 * c.tp, 2 * c.tp + c.fp + c.fn)


def f_beta(c: Counts, beta: float) -> Array:
    """Weighted harmonic mean of sensitivity and positive predictive value, sensitivity counting beta times as much.

    (1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP); beta 2 and 3 are for events that must not be missed.
    """
    square = beta**2
    return _over((1 + square) * c.tp, (1 + square) * c.tp + square * c.fn + c.fp)


def f2(c: Counts) -> Array:
    """F with sensitivity counting twice."""
    return f_beta(c, 2.0)


def f3(c: Counts) -> Array:
    """F with sensitivity counting three times."""
    return f_beta(c, 3.0)


def kappa(c: Counts) -> Array:
    """Cohen's kappa of decision and outcome: agreement beyond chance."""
    return _over(2 * (c.tp * c.tn - c.fn * c.fp), (c.tp + c.fp) * (c.fp + c.tn) + (c.tp + c.fn) * (c.fn + c.tn))


def mcc(c: Counts) -> Array:
    """Matthews correlation of decision and outcome.

    0 where everybody gets the same decision (the limit, Chicco and Jurman, BMC Genomics 2020;21:6); NaN where the
    outcome has one class.
    """
    events = np.asarray((c.tp + c.fn) * (c.tn + c.fp), dtype=np.float64)
    decisions = np.asarray((c.tp + c.fp) * (c.tn + c.fn), dtype=np.float64)
    value = _over(c.tp * c.tn - c.fp * c.fn, np.sqrt(events * decisions))
    return np.where((decisions == 0) & (events > 0), 0.0, value)


PROPORTIONS: dict[str, Callable[[Counts], tuple[Number, Number]]] = {
    "sensitivity": lambda c: (c.tp, c.tp + c.fn),
    "specificity": lambda c: (c.tn, c.tn + c.fp),
    "ppv": lambda c: (c.tp, c.tp + c.fp),
    "npv": lambda c: (c.tn, c.tn + c.fn),
    "accuracy": lambda c: (c.tp + c.tn, c.tp + c.fp + c.tn + c.fn),
}
"""Metrics that are a share of patients, as (part, whole): their interval has a formula."""

SUMMARIES: dict[str, Callable[[Counts], Array]] = {
    "balanced_accuracy": balanced_accuracy,
    "f1": f1,
    "f2": f2,
    "f3": f3,
    "g_mean": g_mean,
    "kappa": kappa,
    "mcc": mcc,
}
"""Metrics of the two-by-two table whose interval needs resampling."""


def proportion_interval(
    part: float, whole: float, confidence: float = 0.95, *, method: Literal["wilson", "clopper-pearson"] = "wilson"
) -> Interval:
    """A share with its confidence interval.

    Parameters
    ----------
    part, whole : float
        Need not be whole numbers (averages over repeats).
    confidence : float
    method : {"wilson", "clopper-pearson"}
        Wilson's score interval (default), or the exact, conservative one.

    Returns
    -------
    Interval
        NaN, with the reason, when `whole` is 0.
    """
    nan = float("nan")
    if whole <= 0:
        return Interval(nan, nan, nan, "not computed: nobody in the denominator")
    share = part / whole
    if method == "clopper-pearson":
        alpha = 1 - confidence
        lower = float(stats.beta.ppf(alpha / 2, part, whole - part + 1)) if part > 0 else 0.0
        upper = float(stats.beta.ppf(1 - alpha / 2, part + 1, whole - part)) if part < whole else 1.0
        return Interval(share, lower, upper, "Clopper-Pearson")
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    centre = (share + z**2 / (2 * whole)) / (1 + z**2 / whole)
    half = z / (1 + z**2 / whole) * np.sqrt(share * (1 - share) / whole + z**2 / (4 * whole**2))
    # exactly 0 and 1 at the ends, where rounding would leave 1e-17
    lower = 0.0 if part <= 0 else max(0.0, float(centre - half))
    upper = 1.0 if part >= whole else min(1.0, float(centre + half))
    return Interval(share, lower, upper, "Wilson")


def likelihood_ratio_positive(c: Counts, confidence: float = 0.95) -> Interval:
    """How much a positive decision raises the odds of the event; log method (Simel, J Clin Epidemiol 1991;44:763)."""
    return _log_ratio(float(c.tp), float(c.tp + c.fn), float(c.fp), float(c.fp + c.tn), confidence)


def likelihood_ratio_negative(c: Counts, confidence: float = 0.95) -> Interval:
    """How much a negative decision lowers the odds of the event; log method (Simel, J Clin Epidemiol 1991;44:763)."""
    return _log_ratio(float(c.fn), float(c.tp + c.fn), float(c.tn), float(c.fp + c.tn), confidence)


def _log_ratio(a: float, n_a: float, b: float, n_b: float, confidence: float) -> Interval:
    """Ratio of two independent shares a/n_a and b/n_b, interval on the log scale."""
    nan = float("nan")
    if n_a <= 0 or n_b <= 0 or (a <= 0 and b <= 0):
        return Interval(nan, nan, nan, "not computed: nobody in the denominator")
    if a <= 0 or b <= 0:
        ratio = float("inf") if b <= 0 else 0.0
        return Interval(ratio, nan, nan, "no interval: a count is zero")
    ratio = (a / n_a) / (b / n_b)
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * np.sqrt(1 / a - 1 / n_a + 1 / b - 1 / n_b)
    return Interval(ratio, float(ratio * np.exp(-half)), float(ratio * np.exp(half)), "log method (Simel)")


def diagnostic_odds_ratio(c: Counts, confidence: float = 0.95) -> Interval:
    """Odds of a positive decision with the event over those without it; interval on the log scale."""
    nan = float("nan")
    tp, fp, tn, fn = (float(x) for x in (c.tp, c.fp, c.tn, c.fn))
    if tp + fn <= 0 or fp + tn <= 0:
        return Interval(nan, nan, nan, "not computed: only one class")
    if min(tp, fp, tn, fn) <= 0:
        top, bottom = tp * tn, fp * fn
        ratio = top / bottom if bottom > 0 else float("inf") if top > 0 else nan
        return Interval(ratio, nan, nan, "no interval: a count is zero")
    ratio = tp * tn / (fp * fn)
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * np.sqrt(1 / tp + 1 / fp + 1 / tn + 1 / fn)
    return Interval(ratio, float(ratio * np.exp(-half)), float(ratio * np.exp(half)), "log method")


def ppv_at_prevalence(c: Counts, prevalence: float, confidence: float = 0.95) -> Interval:
    """Positive predictive value where the event is this frequent (Bayes' rule from sensitivity and specificity).

    Interval on the logit scale (Mercaldo, Lau and Zhou, Stat Med 2007;26:2170).
    """
    return _at_prevalence(float(c.tp), float(c.tp + c.fn), float(c.fp), float(c.fp + c.tn), prevalence, confidence)


def npv_at_prevalence(c: Counts, prevalence: float, confidence: float = 0.95) -> Interval:
    """Negative predictive value where the event is this frequent; see `ppv_at_prevalence`."""
    return _at_prevalence(float(c.tn), float(c.fp + c.tn), float(c.fn), float(c.tp + c.fn), 1 - prevalence, confidence)


def _at_prevalence(hit: float, n_hit: float, miss: float, n_miss: float, share: float, confidence: float) -> Interval:
    """Share x hit rate / (share x hit rate + (1 - share) x false rate)."""
    nan = float("nan")
    method = "Bayes' rule, logit scale"
    if n_hit <= 0 or n_miss <= 0 or hit + miss <= 0:
        return Interval(nan, nan, nan, f"{method}; not computed: nobody in the denominator")
    right, false = hit / n_hit, miss / n_miss
    value = share * right / (share * right + (1 - share) * false)
    if min(hit, miss) <= 0:
        return Interval(value, nan, nan, f"{method}; no interval: a count is zero")
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * np.sqrt((1 - right) / hit + (1 - false) / miss)
    odds = np.log(value / (1 - value))
    lower, upper = (1 / (1 + np.exp(-(odds + side * half))) for side in (-1, 1))
    return Interval(value, float(lower), float(upper), method)
