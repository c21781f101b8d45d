"""Discrimination: how well a score ranks patients with the event above those without.

AUC is P(s1 > s0) + P(s1 = s0)/2 (Mann-Whitney). Its variance and the tests follow DeLong, DeLong and Clarke-Pearson,
Biometrics 1988;44:837, computed from midranks (Sun and Xu, IEEE Signal Process Lett 2014;21:1389). The averaged curve
keeps the area (Chen and Samuelson, Br J Radiol 2014;87:20140016).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_scores
from isthmus.stats.bootstrap import patient_multiplicities
from isthmus.stats.comparison import Comparison
from isthmus.stats.interval import Interval

__all__ = [
    "RocCurve",
    "auc",
    "aucs",
    "averaged_roc",
    "delong_covariance",
    "delong_interval",
    "delong_test",
    "delong_test_unpaired",
    "partial_auc",
    "roc_band",
    "roc_curve",
    "standardised_partial_auc",
    "weighted_auc",
    "weighted_average_precision",
    "weighted_partial_auc",
]

_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Points of a ROC curve, joined by straight lines.

    Parameters
    ----------
    fpr, tpr : arrays of shape (k,)
        1 - specificity and sensitivity, from (0, 0) to (1, 1), both rising.
    thresholds : array of shape (k,)
        Score at or above which a patient is called positive; the first is infinite. NaN on an averaged curve.
    n_curves : int
        How many curves were averaged.
    """

    fpr: Array
    tpr: Array
    thresholds: Array
    n_curves: int = 1

    @property
    def area(self) -> float:
        """Area under these points (trapezoids)."""
        return float(np.trapezoid(self.tpr, self.fpr))


def auc(y: ArrayLike, score: ArrayLike) -> float:
    """Probability that a patient with the event scores higher than one without; ties count half.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    score : array of shape (n,), larger meaning more likely the event

    Returns
    -------
    float
        NaN when only one class is present.
    """
    event, values = check_scores(y, score)
    n1 = int(event.sum())
    n0 = event.size - n1
    if n1 == 0 or n0 == 0:
        return _NAN
    ranks = stats.rankdata(values)
    return float((ranks[event].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def aucs(y: ArrayLike, scores: ArrayLike) -> Array:
    """`auc` of many scores (n, L) of the same patients at once: shape (L,). Sums of ranks are exact, so the bits are those of `auc`."""
    values = np.asarray(scores, dtype=np.float64)
    event, _ = check_scores(y, values[:, int(np.isnan(values).any(axis=0).argmax())])
    n1 = int(event.sum())
    n0 = event.size - n1
    if n1 == 0 or n0 == 0:
        return np.full(values.shape[1], _NAN)
    ranks = stats.rankdata(values, axis=0)
    return np.asarray((ranks[event].sum(axis=0) - n1 * (n1 + 1) / 2) / (n1 * n0))


def weighted_auc(y: ArrayLike, score: ArrayLike, weights: Array) -> Array:
    """AUC under many sets of patient weights at once, O(draws x n): the engine of the bootstraps.

    `weights` has shape (draws, n); returns shape (draws,), NaN where a class has no weight.
    """
    event, values = check_scores(y, score)
    positive, negative = _by_score(event, values, weights)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return _ratio((positive * below).sum(axis=1), pairs)


def weighted_average_precision(y: ArrayLike, score: ArrayLike, weights: Array) -> Array:
    """Area under the precision-recall steps (average precision) under many sets of patient weights at once.

    `weights` has shape (draws, n); returns shape (draws,), NaN where no event has weight.
    """
    event, values = check_scores(y, score)
    positive, negative = _by_score(event, -values, weights)
    true_positive = np.cumsum(positive, axis=1)
    called = true_positive + np.cumsum(negative, axis=1)
    precision = _ratio(true_positive, called, otherwise=0.0)
    return _ratio((positive * precision).sum(axis=1), true_positive[:, -1])


def _by_score(event: NDArray[np.bool_], values: Array, weights: Array) -> tuple[Array, Array]:
    """Weight of events and of non-events at each distinct score, rising; each of shape (draws, distinct scores)."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(values[order]) != 0]) if values.size else np.array([], dtype=int)
    w = np.atleast_2d(np.asarray(weights, dtype=np.float64))[:, order]
    is_event = event[order]
    if starts.size == values.size:
        return w * is_event, w * ~is_event
    return np.add.reduceat(w * is_event, starts, axis=1), np.add.reduceat(w * ~is_event, starts, axis=1)


def _ratio(top: Array, bottom: Array, otherwise: float = _NAN) -> Array:
    """Quotient, `otherwise` where the denominator is zero."""
    return np.divide(top, bottom, out=np.full(np.shape(top), otherwise), where=bottom != 0)


def _placements(event: NDArray[np.bool_], values: Array) -> tuple[Array, Array]:
    """DeLong's V10 (one per event) and V01 (one per non-event)."""
    n1 = int(event.sum())
    n0 = event.size - n1
    ranks = stats.rankdata(values)
    v10 = (ranks[event] - stats.rankdata(values[event])) / n0
    v01 = 1 - (ranks[~event] - stats.rankdata(values[~event])) / n1
    return v10, v01


def delong_covariance(y: ArrayLike, *scores: ArrayLike) -> tuple[Array, Array]:
    """AUC of each score and their covariance matrix (DeLong); shapes (k,) and (k, k).

    The covariance is NaN when a class has fewer than two patients.
    """
    checked = [check_scores(y, score) for score in scores]
    event = checked[0][0]
    k = len(checked)
    n1, n0 = int(event.sum()), int((~event).sum())
    if n1 == 0 or n0 == 0:
        return np.full(k, _NAN), np.full((k, k), _NAN)
    placed = [_placements(event, values) for _, values in checked]
    v10 = np.array([a for a, _ in placed])
    v01 = np.array([b for _, b in placed])
    if n1 < 2 or n0 < 2:
        return v10.mean(axis=1), np.full((k, k), _NAN)
    return v10.mean(axis=1), np.atleast_2d(np.cov(v10)) / n1 + np.atleast_2d(np.cov(v01)) / n0


def delong_interval(
    y: ArrayLike, score: ArrayLike, confidence: float = 0.95, *, form: Literal["plain", "logit"] = "plain"
) -> Interval:
    """AUC with its confidence interval from DeLong's variance.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    score : array of shape (n,)
    confidence : float
    form : {"plain", "logit"}
        "plain": AUC ± z se, cut at 0 and 1 (as pROC). "logit": on the logit scale, better near 1.

    Returns
    -------
    Interval
        Limits are NaN, and `method` says why, with one class, fewer than two patients in a class, or no variance at all
        (every event above every non-event, or a constant score): DeLong's formula would claim certainty there.
    """
    estimates, covariance = delong_covariance(y, score)
    area, variance = float(estimates[0]), float(covariance[0, 0])
    if np.isnan(area):
        return Interval(_NAN, _NAN, _NAN, "not computed: only one class")
    if np.isnan(variance):
        return Interval(area, _NAN, _NAN, "AUC; no interval: fewer than two patients in one class")
    if variance <= 0:
        why = "the classes are separated completely" if area in {0.0, 1.0} else "the score does not vary"
        return Interval(area, _NAN, _NAN, f"AUC; no interval: {why}, so DeLong's variance is zero")
    z = stats.norm.ppf(0.5 + confidence / 2)
    se = np.sqrt(variance)
    if form == "logit":
        half = z * se / (area * (1 - area))
        lower, upper = special.expit(special.logit(area) + np.array([-half, half]))
        return Interval(area, float(lower), float(upper), "DeLong, logit scale")
    return Interval(area, max(0.0, float(area - z * se)), min(1.0, float(area + z * se)), "DeLong")


def delong_test(y: ArrayLike, a: ArrayLike, b: ArrayLike) -> Comparison:
    """Do two scores of the same patients differ in AUC? (DeLong, paired, two-sided)

    Not valid for nested regression models refitted on the very rows they are compared on (Demler et al., Stat Med
    2012;31:2577). Two scores that rank the patients identically give statistic 0 and p 1.
    """
    estimates, covariance = delong_covariance(y, a, b)
    difference = float(estimates[0] - estimates[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return _z_test(difference, variance, "paired DeLong test")


def _z_test(difference: float, variance: float, method: str) -> Comparison:
    """Two-sided normal test of a difference, with a defined outcome where the variance vanishes."""
    if np.isnan(difference) or np.isnan(variance):
        return Comparison(_NAN, _NAN, f"{method}; not computed: fewer than two patients in one class")
    if variance <= 1e-15:
        if abs(difference) <= 1e-12:
            return Comparison(0.0, 1.0, f"{method}; no difference at all")
        return Comparison(_NAN, _NAN, f"{method}; not computed: the difference has no variance")
    z = difference / np.sqrt(variance)
    return Comparison(float(z), float(2 * stats.norm.sf(abs(z))), method)


def delong_test_unpaired(y_a: ArrayLike, score_a: ArrayLike, y_b: ArrayLike, score_b: ArrayLike) -> Comparison:
    """Do the AUCs of two different groups of patients differ? (DeLong variances, t with Welch-Satterthwaite df)"""
    method = "unpaired DeLong test"
    (area_a,), cov_a = delong_covariance(y_a, score_a)
    (area_b,), cov_b = delong_covariance(y_b, score_b)
    va, vb = float(cov_a[0, 0]), float(cov_b[0, 0])
    if np.isnan(va) or np.isnan(vb):
        return Comparison(_NAN, _NAN, f"{method}; not computed: fewer than two patients in one class")
    if va + vb <= 0:
        return _z_test(float(area_a - area_b), 0.0, method)
    na, nb = np.size(score_a), np.size(score_b)
    df = (va + vb) ** 2 / (va**2 / (na - 1) + vb**2 / (nb - 1))
    t = (area_a - area_b) / np.sqrt(va + vb)
    return Comparison(float(t), float(2 * stats.t.sf(abs(t), df)), method, float(df))


def roc_curve(y: ArrayLike, score: ArrayLike) -> RocCurve:
    """ROC curve of a score: one point per distinct value, the rule being score >= threshold.

    Raises
    ------
    TableError
        Only one class: there is no curve.
    """
    event, values = check_scores(y, score)
    n1 = int(event.sum())
    n0 = event.size - n1
    if n1 == 0 or n0 == 0:
        raise TableError(f"a ROC curve needs both classes; there are {n1} events and {n0} non-events")
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.r_[values[order][1:] != values[order][:-1], True])
    tpr = np.cumsum(event[order])[last] / n1
    fpr = np.cumsum(~event[order])[last] / n0
    thresholds = values[order][last]
    return RocCurve(np.r_[0.0, fpr], np.r_[0.0, tpr], np.r_[np.inf, thresholds])


def averaged_roc(
    folds: Sequence[tuple[ArrayLike, ArrayLike]], *, along: Literal["fpr", "anti-diagonal"] = "fpr"
) -> RocCurve:
    """Mean ROC curve of several folds whose area is exactly the mean of the fold AUCs.

    Parameters
    ----------
    folds : sequence of (y, score)
        Folds with one class have no curve and are left out; `n_curves` says how many remained.
    along : {"fpr", "anti-diagonal"}
        "fpr": sensitivities are averaged at each false positive rate. Every fold's curve is piecewise linear with vertical
        jumps; on the union of all rates both limits of every curve (left and right of the jump) are kept and averaged, so
        no area is lost, as it is on a fixed grid. "anti-diagonal": the curves are averaged along lines of equal sensitivity
        plus false positive rate, which treats both classes alike; there every curve is continuous.

    Raises
    ------
    TableError
        No fold holds both classes.
    """
    curves = [roc_curve(y, score) for y, score in folds if 0 < np.sum(np.asarray(y)) < np.size(y)]
    if not curves:
        raise TableError(f"none of the {len(folds)} folds holds both classes, so there is no ROC curve to average")
    if along == "anti-diagonal":
        return _anti_diagonal(curves)
    grid = np.unique(np.concatenate([curve.fpr for curve in curves]))
    limits = np.mean([_limits(curve, grid) for curve in curves], axis=0)
    tpr = limits.T.ravel()
    return RocCurve(np.repeat(grid, 2), tpr, np.full(tpr.size, _NAN), len(curves))


def _anti_diagonal(curves: Sequence[RocCurve]) -> RocCurve:
    """Mean height above the chance line (tpr - fpr) at each fpr + tpr, back in the usual axes."""
    grid = np.unique(np.concatenate([curve.fpr + curve.tpr for curve in curves]))
    height = np.mean([np.interp(grid, c.fpr + c.tpr, c.tpr - c.fpr) for c in curves], axis=0)
    return RocCurve((grid - height) / 2, (grid + height) / 2, np.full(grid.size, _NAN), len(curves))


def _limits(curve: RocCurve, grid: Array) -> Array:
    """Left and right limits of the curve at each point of the grid; shape (2, grid)."""
    x, first = np.unique(curve.fpr, return_index=True)
    last = np.r_[first[1:], curve.fpr.size] - 1
    low, high = curve.tpr[first], curve.tpr[last]
    if x.size == 1:
        return np.array([np.full(grid.size, low[0]), np.full(grid.size, high[0])])
    k = np.clip(np.searchsorted(x, grid, side="right") - 1, 0, x.size - 2)
    share = (grid - x[k]) / (x[k + 1] - x[k])
    between = high[k] + share * (low[k + 1] - high[k])
    at = np.searchsorted(x, grid)
    at = np.minimum(at, x.size - 1)
    on = x[at] == grid
    return np.array([np.where(on, low[at], between), np.where(on, high[at], between)])


def partial_auc(
    y: ArrayLike,
    score: ArrayLike,
    *,
    lowest_specificity: float | None = None,
    lowest_sensitivity: float | None = None,
    standardised: bool = False,
) -> float:
    """Area under the part of the ROC curve where specificity (or sensitivity) is at least a limit; give one of the two.

    `standardised` rescales it to 0.5 for a useless and 1 for a perfect score (McClish, Med Decis Making 1989;9:190). NaN
    with one class.
    """
    event, values = check_scores(y, score)
    if (lowest_specificity is None) == (lowest_sensitivity is None):
        raise TableError("a partial AUC needs either the lowest specificity or the lowest sensitivity")
    if lowest_sensitivity is not None:  # the same curve seen from the other class
        event, values, lowest_specificity = ~event, -values, lowest_sensitivity
    assert lowest_specificity is not None
    if not 0 <= lowest_specificity < 1:
        raise TableError(f"a partial AUC from {lowest_specificity} to 1: expected a limit of at least 0 and below 1")
    area = float(weighted_partial_auc(event, values, np.ones((1, event.size)), lowest_specificity)[0])
    return float(standardised_partial_auc(np.array([area]), lowest_specificity)[0]) if standardised else area


def standardised_partial_auc(area: Array, lowest_specificity: float) -> Array:
    """Partial areas rescaled to 0.5 for a useless and 1 for a perfect score (McClish)."""
    widest = 1 - lowest_specificity
    chance = widest**2 / 2
    return 0.5 * (1 + (area - chance) / (widest - chance))


def weighted_partial_auc(y: ArrayLike, score: ArrayLike, weights: Array, lowest_specificity: float) -> Array:
    """Area under the ROC curve where specificity is at least the limit, under many sets of patient weights at once.

    `weights` has shape (draws, n); returns shape (draws,), NaN where a class has no weight.
    """
    event, values = check_scores(y, score)
    positive, negative = _by_score(event, -values, weights)
    start = np.zeros((len(positive), 1))
    total_1, total_0 = positive.sum(axis=1, keepdims=True), negative.sum(axis=1, keepdims=True)
    tpr = np.hstack([start, _ratio(np.cumsum(positive, axis=1), np.broadcast_to(total_1, positive.shape))])
    fpr = np.hstack([start, _ratio(np.cumsum(negative, axis=1), np.broadcast_to(total_0, negative.shape))])
    width = np.diff(fpr, axis=1)
    inside = np.clip((1 - lowest_specificity) - fpr[:, :-1], 0.0, width)  # the part of each step left of the limit
    reached = tpr[:, :-1] + np.diff(tpr, axis=1) * _ratio(inside, width, otherwise=0.0)
    area = (inside * (tpr[:, :-1] + reached) / 2).sum(axis=1)
    return np.where((total_1[:, 0] > 0) & (total_0[:, 0] > 0), area, _NAN)


def roc_band(
    folds: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    patients: Sequence[ArrayLike] | None = None,
    draws: int = 500,
    seed: int,
    confidence: float = 0.95,
    points: int = 101,
) -> pd.DataFrame:
    """Pointwise bootstrap band around the (averaged) ROC curve, for the figure.

    Parameters
    ----------
    folds : sequence of (y, score)
        One entry for a plain curve; the folds of all repeats for an averaged one.
    patients : sequence of arrays, optional
        Who each row is, per fold (without it rows are patients). Folds in which a patient occurs again belong to the next
        repeat; the draws take the repeats in turns, so the band holds the noise of the partition.
    draws, seed, confidence
        Resampling of patients, stratified by outcome.
    points : int
        Number of false positive rates at which the band is given.

    Returns
    -------
    DataFrame
        fpr, tpr, lower, upper; `tpr` is the mean of the two limits of the averaged curve where it jumps.
    """
    y_all = np.concatenate([np.asarray(y, dtype=float) for y, _ in folds])
    who = np.arange(y_all.size) if patients is None else np.concatenate([np.asarray(p) for p in patients])
    weights = patient_multiplicities(y_all, who, draws=draws, rng=np.random.default_rng(seed))
    grid = np.linspace(0, 1, points)
    total = np.zeros((draws, points))
    used = np.zeros((draws, 1))
    repeat = _repeat_of_folds(patients) if patients is not None else [0] * len(folds)
    turn = np.arange(draws) % (max(repeat) + 1)
    at = 0
    for (y, score), r in zip(folds, repeat, strict=True):
        event, values = check_scores(y, score)
        w = weights[:, at : at + event.size] * (turn == r)[:, None]
        at += event.size
        positive, negative = _by_score(event, -values, w)
        n1, n0 = positive.sum(axis=1), negative.sum(axis=1)
        for b in np.flatnonzero((n1 > 0) & (n0 > 0)):
            fpr = np.r_[0.0, np.cumsum(negative[b]) / n0[b]]
            tpr = np.r_[0.0, np.cumsum(positive[b]) / n1[b]]
            total[b] += np.interp(grid, fpr, tpr)
            used[b] += 1
    drawn = _ratio(total, np.broadcast_to(used, total.shape))
    lower, upper = np.nanquantile(drawn, [0.5 - confidence / 2, 0.5 + confidence / 2], axis=0)
    curve = averaged_roc(folds)
    # at 0 the curve starts at no one called positive, at 1 it ends with everyone
    tpr = _limits(RocCurve(curve.fpr, curve.tpr, curve.thresholds), grid).mean(axis=0)
    return pd.DataFrame({"fpr": grid, "tpr": tpr, "lower": lower, "upper": upper})


def _repeat_of_folds(patients: Sequence[ArrayLike]) -> list[int]:
    """Which repeat each fold belongs to: a new one begins when a patient comes back."""
    repeat, seen, found = 0, set[object](), []
    for fold in patients:
        members = set(np.asarray(fold).tolist())
        if members & seen:
            repeat, seen = repeat + 1, set()
        seen |= members
        found.append(repeat)
    return found
