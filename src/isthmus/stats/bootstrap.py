"""Resampling patients: intervals for statistics that have no formula.

The unit is the patient: all rows of a patient are drawn together, outcome and score jointly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_outcome, check_scores
from isthmus.stats.interval import Interval

__all__ = ["bca_interval", "bootstrap_interval", "patient_multiplicities", "percentile_interval"]

_MOST_FAILURES = 0.1  # with more draws undefined than this, the rest no longer stand for the whole


def patient_multiplicities(
    y: ArrayLike,
    patients: ArrayLike | None = None,
    *,
    draws: int,
    rng: np.random.Generator,
    stratified: bool = True,
) -> Array:
    """How often each row is drawn in each bootstrap sample of patients.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    patients : array of shape (n,), optional
        Who each row is; without it every row is a patient of its own.
    draws : int
    rng : Generator
    stratified : bool
        Draw events and non-events apart, so that every sample has the observed number of each (a patient with any
        event row counts as an event).

    Returns
    -------
    array of shape (draws, n)
        Whole numbers; rows of one patient share theirs.
    """
    event = check_outcome(y)
    labels = np.arange(event.size) if patients is None else np.asarray(patients)
    _, index = np.unique(labels, return_inverse=True)
    n = int(index.max()) + 1 if index.size else 0
    has_event = np.zeros(n, dtype=bool)
    np.logical_or.at(has_event, index, event)
    counts = np.zeros((draws, n))
    for stratum in (has_event, ~has_event) if stratified else (np.ones(n, dtype=bool),):
        size = int(stratum.sum())
        if size:
            counts[:, stratum] = rng.multinomial(size, np.full(size, 1 / size), size=draws)
    return counts[:, index]


def percentile_interval(estimate: float, drawn: Array, confidence: float, method: str) -> Interval:
    """Percentile interval of the draws; NaN limits, with the reason, where the draws cannot carry one."""
    return _limits(estimate, drawn, (0.5 - confidence / 2, 0.5 + confidence / 2), method, "percentile")


def bca_interval(estimate: float, drawn: Array, left_out: Array, confidence: float, method: str) -> Interval:
    """Bias-corrected and accelerated interval of the draws (Efron, J Am Stat Assoc 1987;82:171).

    `left_out` holds the statistic without each patient in turn; the rest is as in `percentile_interval`.
    """
    finite, jackknife = drawn[np.isfinite(drawn)], left_out[np.isfinite(left_out)]
    if not finite.size or not np.isfinite(estimate) or jackknife.size < 2:
        return percentile_interval(estimate, drawn, confidence, method)
    share = (np.sum(finite < estimate) + np.sum(finite == estimate) / 2) / finite.size
    off = jackknife.mean() - jackknife
    spread = float((off**2).sum()) ** 1.5
    if not 0 < share < 1 or spread == 0:
        why = "the estimate lies outside all draws" if spread else "no patient changes it"
        return Interval(estimate, float("nan"), float("nan"), f"{method}; no interval: {why}")
    bias, acceleration = stats.norm.ppf(share), float((off**3).sum()) / (6 * spread)
    z = bias + stats.norm.ppf([0.5 - confidence / 2, 0.5 + confidence / 2])
    at = stats.norm.cdf(bias + z / (1 - acceleration * z))
    return _limits(estimate, drawn, (float(at[0]), float(at[1])), method, "BCa")


def _limits(estimate: float, drawn: Array, at: tuple[float, float], method: str, kind: str) -> Interval:
    """The draws' quantiles, or NaN with the reason."""
    nan = float("nan")
    finite = drawn[np.isfinite(drawn)]
    failed = drawn.size - finite.size
    if not np.isfinite(estimate):
        return Interval(nan, nan, nan, f"{method}; not computed: not defined on these patients")
    if failed > _MOST_FAILURES * drawn.size:
        return Interval(estimate, nan, nan, f"{method}; no interval: undefined in {failed} of {drawn.size} draws")
    if np.ptp(finite) <= 1e-12:
        return Interval(estimate, nan, nan, f"{method}; no interval: the same value in all {drawn.size} draws")
    lower, upper = np.quantile(finite, at)
    note = f" ({failed} undefined draws left out)" if failed else ""
    return Interval(estimate, float(lower), float(upper), f"{method}, {drawn.size} draws, {kind}{note}")


def bootstrap_interval(
    statistic: Callable[[Array, Array], float],
    y: ArrayLike,
    score: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    draws: int = 2000,
    seed: int,
    confidence: float = 0.95,
    kind: Literal["percentile", "bca"] = "percentile",
) -> Interval:
    """Bootstrap interval of any statistic of outcome and score.

    Patients are drawn with replacement, events and non-events apart; a drawn patient brings all rows, and the outcome
    and score of a row stay together.

    Parameters
    ----------
    statistic : callable (y, score) -> float
        NaN means "not defined on this sample"; such draws are counted.
    y, score : arrays of shape (n,)
    groups : array of shape (n,), optional
        The patient of each row.
    draws, seed, confidence
        Number of samples, seed of the generator, level.
    kind : {"percentile", "bca"}
        Quantiles of the draws, or those corrected for bias and skewness.

    Raises
    ------
    TableError
        There are no rows.
    """
    event, values = check_scores(y, score)
    if not event.size:
        raise TableError("no patients: a bootstrap needs at least one")
    counts = patient_multiplicities(event, groups, draws=draws, rng=np.random.default_rng(seed))
    outcome = event.astype(np.float64)
    rows = np.arange(event.size)
    drawn = np.empty(draws)
    for b in range(draws):
        chosen = np.repeat(rows, counts[b].astype(np.intp))
        drawn[b] = statistic(outcome[chosen], values[chosen])
    estimate = float(statistic(outcome, values))
    method = "bootstrap over patients, stratified by outcome"
    if kind == "percentile":
        return percentile_interval(estimate, drawn, confidence, method)
    who = rows if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    left_out = np.array([statistic(outcome[who != i], values[who != i]) for i in range(int(who.max()) + 1)])
    return bca_interval(estimate, drawn, left_out, confidence, method)
