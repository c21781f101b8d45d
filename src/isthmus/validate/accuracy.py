"""How close the probabilities come: overall accuracy (Brier, log-loss) and calibration of one model on one split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from isthmus.stats import calibration
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import percentile_interval
from isthmus.stats.interval import Interval
from isthmus.validate.draws import Weighted, averaged, bootstrapped, draw, estimate_of, missing, over, resampled, total
from isthmus.validate.sample import Sample
from isthmus.validate.settings import ValidateSettings

__all__ = ["calibration_metrics", "overall"]

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
    size = draw(sample, weights, total(sample, np.ones(sample.event.size)))
    share = over(draw(sample, weights, total(sample, sample.event)), size)
    error = over(draw(sample, weights, total(sample, squared)), size)
    prevalence, brier = float(sample.patient_event.mean()), float(sample.mean_per_patient(squared).mean())
    method, level = f"{averaged(sample)}{resampled(sample)}", settings.confidence
    yield "brier", percentile_interval(brier, error, level, method)
    if sample.why_not:
        yield "scaled_brier", missing(sample.why_not)
    else:
        reference = share * (1 - share)
        scaled = 1 - over(error, reference)
        estimate = 1 - brier / (prevalence * (1 - prevalence))
        yield "scaled_brier", percentile_interval(estimate, scaled, level, method)
    drawn = over(draw(sample, weights, total(sample, surprise)), size)
    yield "log_loss", percentile_interval(float(sample.mean_per_patient(surprise).mean()), drawn, level, method)


def calibration_metrics(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Slope, intercept, calibration in the large, O:E and ICI; formulas on one set of predictions, else bootstrap."""
    if sample.why_not:
        for name in ("calibration_slope", "calibration_intercept", "calibration_in_the_large", "o_e", "ici"):
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


def _repeated_calibration(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Calibration of repeated cross-validation: fitted per repeat, averaged, resampled by patient."""
    lp, moved = calibration.linear_predictor(sample.probability)
    note = f" ({moved} predictions of exactly 0 or 1 moved by 1e-12)" if moved else ""
    how = resampled(sample)

    def recalibrated(which: int) -> Weighted:
        def statistic(r: int, w: Array) -> Array:
            rows = sample.repeats[r]
            return calibration.weighted_slope(lp[rows], sample.event[rows], w[:, sample.patient[rows]])[which]

        return statistic

    method = f"{averaged(sample)}logistic recalibration{note}; {how}"
    yield "calibration_slope", bootstrapped(sample, weights, recalibrated(0), settings, method)
    yield "calibration_intercept", bootstrapped(sample, weights, recalibrated(1), settings, method)

    def in_the_large(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return calibration.weighted_in_the_large(lp[rows], sample.event[rows], w[:, sample.patient[rows]])

    method = f"{averaged(sample)}logistic, slope fixed at 1; {how}"
    yield "calibration_in_the_large", bootstrapped(sample, weights, in_the_large, settings, method)
    expected = float(sample.mean_per_patient(sample.probability).sum())
    if expected == 0:
        yield "o_e", missing("not computed: no events expected")
        return
    predicted = draw(sample, weights, total(sample, sample.probability))
    events = draw(sample, weights, total(sample, sample.event))
    drawn = over(events, predicted)
    ratio = float(sample.patient_event.sum()) / expected
    yield "o_e", percentile_interval(ratio, drawn, settings.confidence, f"{averaged(sample)}{how}")


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
