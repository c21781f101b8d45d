"""Statistics over repeats and over resampled patients: the means and the bootstraps of every metric.

A statistic is a function of a repeat and of patient weights. The patients are drawn once per model and split, and every
metric looks at the same draws.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import bca_interval, percentile_interval
from isthmus.stats.interval import Interval
from isthmus.validate.sample import Sample
from isthmus.validate.settings import ValidateSettings

__all__ = [
    "Weighted",
    "averaged",
    "bootstrapped",
    "draw",
    "estimate_of",
    "leave_one_out",
    "limits",
    "missing",
    "over",
    "resampled",
    "total",
]

_NAN = float("nan")
_CHUNK = 4_000_000  # weights held at once by a weighted statistic

Weighted = Callable[[int, Array], Array]  # which repeat, weights of shape (draws, patients) -> (draws,)


def missing(reason: str) -> Interval:
    """No number, and why."""
    return Interval(_NAN, _NAN, _NAN, reason)


def estimate_of(sample: Sample, statistic: Weighted) -> float:
    """Mean of a statistic over the repeats where it is defined."""
    one = np.ones((1, sample.n))
    values = np.array([statistic(r, one)[0] for r in range(len(sample.repeats))])
    there = values[np.isfinite(values)]
    return float(there.mean()) if there.size else _NAN


def draw(sample: Sample, weights: Array, statistic: Weighted) -> Array:
    """The statistic in every draw: of resampled patients in one repeat, the repeats taking turns.

    Averaging the repeats inside a draw would hide the noise of the partition; intervals then cover far too rarely
    (docs/evidence/cv-interval-coverage.md).
    """
    count = len(sample.repeats)
    drawn = np.full(len(weights), _NAN)
    step = max(1, _CHUNK // max(sample.n, 1))
    for r in range(count):
        turns = np.arange(r, len(weights), count)
        for at in range(0, turns.size, step):
            chosen = turns[at : at + step]
            drawn[chosen] = statistic(r, weights[chosen])
    return drawn


def leave_one_out(sample: Sample, statistic: Weighted) -> Array:
    """The statistic without each patient in turn, averaged over the repeats: what BCa needs."""
    found = np.empty(sample.n)
    step = max(1, _CHUNK // max(sample.n, 1))
    for at in range(0, sample.n, step):
        chosen = np.arange(at, min(at + step, sample.n))
        weights = np.ones((chosen.size, sample.n))
        weights[np.arange(chosen.size), chosen] = 0.0
        values = np.array([statistic(r, weights) for r in range(len(sample.repeats))])
        there = np.isfinite(values)
        found[chosen] = over(np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0).astype(np.float64))
    return found


def limits(
    estimate: float, drawn: Array, left_out: Callable[[], Array], settings: ValidateSettings, method: str
) -> Interval:
    """The interval of the draws that the plan asks for; `left_out` is computed for BCa only."""
    if settings.intervals.bootstrap == "bca":
        return bca_interval(estimate, drawn, left_out(), settings.confidence, method)
    return percentile_interval(estimate, drawn, settings.confidence, method)


def bootstrapped(
    sample: Sample, weights: Array, statistic: Weighted, settings: ValidateSettings, method: str
) -> Interval:
    """A statistic averaged over repeats, with its interval over resampled patients and repeats."""
    if sample.why_not:
        return missing(sample.why_not)
    estimate = estimate_of(sample, statistic)
    drawn = draw(sample, weights, statistic) if np.isfinite(estimate) else np.empty(0)
    return limits(estimate, drawn, lambda: leave_one_out(sample, statistic), settings, method)


def averaged(sample: Sample, what: str = "") -> str:
    """How the repeats were combined, for the method."""
    count = len(sample.repeats)
    return f"mean over {count} repeats{what}; " if count > 1 else ""


def resampled(sample: Sample, *, stratified: bool = False) -> str:
    """How the draws were made, for the method."""
    turns = ", one repeat a draw" if len(sample.repeats) > 1 else ""
    return f"bootstrap over patients{turns}{', stratified by outcome' if stratified else ''}"


def over(top: Array, bottom: Array) -> Array:
    """Quotient of each draw; NaN where nobody stands in the denominator."""
    return np.divide(top, bottom, out=np.full(len(top), _NAN), where=bottom > 0)


def total(sample: Sample, values: NDArray[np.bool_] | Array) -> Weighted:
    """Weighted sum of one value per row, over the rows of a repeat."""
    return lambda r, w: w[:, sample.patient[sample.repeats[r]]] @ np.asarray(values, dtype=float)[sample.repeats[r]]
