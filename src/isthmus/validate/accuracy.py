"""How close the probabilities come: overall accuracy (Brier, log-loss) and calibration of one model on one split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from isthmus.stats import calibration
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import percentile_interval
from isthmus.stats.interval import Interval
from isthmus.validate.draws import (
    Weighted,
    averaged,
    bootstrapped,
    draw,
    estimate_of,
    leave_one_out,
    limits,
    missing,
    over,
    resampled,
    total,
)
from isthmus.validate.sample import Sample
from isthmus.validate.settings import ValidateSettings

__all__ = ["calibration_metrics", "in_the_large", "overall", "recalibrated"]

_NAN = float("nan")
_LOESS_DRAWS = 500  # a loess per draw is what costs; the interval of the ICI is rough anyway


def overall(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Brier score, scaled Brier score and log-loss."""
    if not sample.n:
        for name in ("brier", "scaled_brier", "log_loss"):
            yield name, missing(sample.why_not)
        return
    inside = np.clip(sample.probability, 1e-12, 1 - 1e-12)
    squared = (sample.probability - sample.event) ** 2
    surprise = -np.log(np.where(sample.event, inside, 1 - inside))
    prevalence, brier = float(sample.patient_event.mean()), float(sample.mean_per_patient(squared).mean())
    method = f"{averaged(sample)}{resampled(sample)}"
    error, share = _mean(sample, squared), _mean(sample, sample.event)

    def scaled(r: int, w: Array) -> Array:
        events = share(r, w)
        return 1 - over(error(r, w), events * (1 - events))

    def bounded(estimate: float, statistic: Weighted) -> Interval:
        drawn = draw(sample, weights, statistic)
        return limits(estimate, drawn, lambda: leave_one_out(sample, statistic), settings, method)

    yield "brier", bounded(brier, error)
    if sample.why_not:
        yield "scaled_brier", missing(sample.why_not)
    else:
        yield "scaled_brier", bounded(1 - brier / (prevalence * (1 - prevalence)), scaled)
    yield "log_loss", bounded(float(sample.mean_per_patient(surprise).mean()), _mean(sample, surprise))


def _mean(sample: Sample, values: NDArray[np.bool_] | Array) -> Weighted:
    """Weighted mean of one value per row, over the rows of a repeat."""
    top, bottom = total(sample, values), total(sample, np.ones(sample.event.size))
    return lambda r, w: over(top(r, w), bottom(r, w))


def calibration_metrics(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Slope, intercept, calibration in the large, O:E, ICI and Hosmer and Lemeshow's p; formulas on one set of predictions, else
    bootstrap (of the p none)."""
    if sample.why_not:
        for name in (
            *("calibration_slope", "calibration_intercept", "calibration_in_the_large", "o_e", "ici"),
            "hosmer_lemeshow_p",
        ):
            yield name, missing(sample.why_not)
        return
    if len(sample.repeats) == 1:
        y, p, level = sample.event, sample.probability, settings.confidence
        slope, intercept = calibration.calibration_slope(y, p, level)
        yield "calibration_slope", slope
        yield "calibration_intercept", intercept
        yield "calibration_in_the_large", calibration.calibration_in_the_large(y, p, level)
        yield "o_e", calibration.observed_expected(y, p, level)
    else:
        yield from _repeated_calibration(sample, settings, weights)
    yield "ici", _ici(sample, settings, weights)
    yield "hosmer_lemeshow_p", _hosmer_lemeshow(sample)


def _hosmer_lemeshow(sample: Sample) -> Interval:
    """The p-value of the test; of patients the model learned from two degrees of freedom less."""
    if len(sample.repeats) > 1:
        return missing("not computed: the test takes one prediction a patient")
    found = calibration.hosmer_lemeshow(sample.event, sample.probability, external=sample.split != "train")
    if not np.isfinite(found.p):
        return missing(found.method.partition("; ")[2])
    method = f"{found.method}: chi-squared {found.statistic:.2f} on {found.df:g} degrees of freedom; no interval"
    return Interval(found.p, _NAN, _NAN, method)


def recalibrated(sample: Sample, which: int) -> Weighted:
    """Calibration slope (0) or intercept (1) of one repeat."""
    lp, _ = calibration.linear_predictor(sample.probability)

    def statistic(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return calibration.weighted_slope(lp[rows], sample.event[rows], w[:, sample.patient[rows]])[which]

    return statistic


def in_the_large(sample: Sample) -> Weighted:
    """Calibration in the large of one repeat."""
    lp, _ = calibration.linear_predictor(sample.probability)

    def statistic(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return calibration.weighted_in_the_large(lp[rows], sample.event[rows], w[:, sample.patient[rows]])

    return statistic


def _repeated_calibration(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Calibration of repeated cross-validation: fitted per repeat, averaged, resampled by patient."""
    _, moved = calibration.linear_predictor(sample.probability)
    note = f" ({moved} predictions of exactly 0 or 1 moved by 1e-12)" if moved else ""
    how = resampled(sample)

    method = f"{averaged(sample)}logistic recalibration{note}; {how}"
    yield "calibration_slope", bootstrapped(sample, weights, recalibrated(sample, 0), settings, method)
    yield "calibration_intercept", bootstrapped(sample, weights, recalibrated(sample, 1), settings, method)

    method = f"{averaged(sample)}logistic, slope fixed at 1; {how}"
    yield "calibration_in_the_large", bootstrapped(sample, weights, in_the_large(sample), settings, method)
    expected = float(sample.mean_per_patient(sample.probability).sum())
    if expected == 0:
        yield "o_e", missing("not computed: no events expected")
        return
    events, predicted = total(sample, sample.event), total(sample, sample.probability)

    def ratio(r: int, w: Array) -> Array:
        return over(events(r, w), predicted(r, w))

    estimate, drawn = float(sample.patient_event.sum()) / expected, draw(sample, weights, ratio)
    yield "o_e", limits(estimate, drawn, lambda: leave_one_out(sample, ratio), settings, f"{averaged(sample)}{how}")


def _ici(sample: Sample, settings: ValidateSettings, weights: Array) -> Interval:
    """Integrated calibration index; one smoother for all repeats and draws."""
    distinct = [calibration.smoother_for(sample.probability[rows]) for rows in sample.repeats]
    smoother: calibration.Smoother = "loess" if all(kind == "loess" for kind in distinct) else "grouped"
    methods: list[str] = []

    def ici(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        values = np.full(len(w), _NAN)
        for b, times in enumerate(w[:, sample.patient[rows]].astype(np.intp)):
            chosen = np.repeat(rows, times)
            event = sample.event[chosen]
            if event.all() or not event.any():
                continue
            distance, method = calibration.calibration_distances(event, sample.probability[chosen], smoother)
            methods.append(method)
            if distance.size:
                values[b] = distance.mean()
        return values

    estimate = estimate_of(sample, ici)
    if not np.isfinite(estimate):
        return missing(f"not computed: {methods[0]} is singular on these predictions")
    drawn = draw(sample, weights[:_LOESS_DRAWS], ici)
    return percentile_interval(
        estimate, drawn, settings.confidence, f"{averaged(sample)}{methods[0]}; {resampled(sample)}"
    )
