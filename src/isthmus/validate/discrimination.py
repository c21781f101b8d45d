"""Discrimination: AUC and precision-recall of one model on one split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.stats import classification, roc
from isthmus.stats.binary import Array
from isthmus.stats.corrected import corrected_interval
from isthmus.stats.interval import Interval
from isthmus.validate.draws import (
    Weighted,
    averaged,
    bootstrapped,
    draw,
    leave_one_out,
    limits,
    missing,
    over,
    resampled,
)
from isthmus.validate.sample import Rows, Sample
from isthmus.validate.settings import ValidateSettings

__all__ = ["corrected", "discrimination", "fold_aucs", "mean_fold_auc", "pooled_auc", "spread"]

_NAN = float("nan")


def fold_aucs(event: NDArray[np.bool_], probability: Array, folds: tuple[Rows, ...]) -> Array:
    """AUC within each outer fold; NaN where a fold has one class."""
    return np.array([roc.auc(event[rows], probability[rows]) for rows in folds])


def mean_fold_auc(sample: Sample) -> Weighted:
    """Mean of the AUCs within the folds of one repeat; folds with one class have none."""

    def statistic(r: int, w: Array) -> Array:
        values = np.array(
            [
                roc.weighted_auc(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])
                for rows in sample.folds[r]
            ]
        )
        there = np.isfinite(values)
        return over(np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0))

    return statistic


def pooled_auc(sample: Sample) -> Weighted:
    """AUC of all predictions of one repeat (outside cv: of all predictions)."""

    def statistic(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return roc.weighted_auc(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])

    return statistic


def discrimination(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """AUC and PR-AUC; on cv the mean of the fold AUCs, the pooled AUC, and how much the partition matters."""
    if sample.split == "cv":
        yield from _cross_validated_auc(sample, settings, weights)
    elif sample.why_not:
        yield "auc", missing(sample.why_not)
    else:
        form: Literal["plain", "logit"] = "logit" if settings.intervals.auc == "delong-logit" else "plain"
        yield "auc", roc.delong_interval(sample.event, sample.probability, settings.confidence, form=form)

    def average_precision(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return roc.weighted_average_precision(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])

    lowest = settings.lowest_specificity

    def partial(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        at = w[:, sample.patient[rows]]
        area = roc.weighted_partial_auc(sample.event[rows], sample.probability[rows], at, lowest)
        return roc.standardised_partial_auc(area, lowest)

    how = resampled(sample, stratified=True)
    method = f"{averaged(sample)}average precision (compare with the prevalence); {how}"
    yield "pr_auc", bootstrapped(sample, weights, average_precision, settings, method)
    method = f"{averaged(sample)}specificity at least {lowest:g}, standardised (McClish); {how}"
    yield "partial_auc", bootstrapped(sample, weights, partial, settings, method)
    events = float(sample.patient_event.sum())
    yield (
        "prevalence",
        classification.proportion_interval(events, sample.n, settings.confidence, method=settings.intervals.proportion),
    )


def _cross_validated_auc(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    folds = tuple(rows for repeat in sample.folds for rows in repeat)
    areas = fold_aucs(sample.event, sample.probability, folds)
    defined = int(np.isfinite(areas).sum())
    how = resampled(sample, stratified=True)

    if not defined:
        reason = sample.why_not or "not computed: no fold holds both classes; see auc_pooled"
        for metric in ("auc", "auc_corrected_t", "auc_fold_sd"):
            yield metric, missing(reason)
    else:
        others = "" if defined == areas.size else f" ({areas.size - defined} more folds hold one class)"
        statistic = mean_fold_auc(sample)
        drawn = draw(sample, weights, statistic)
        method = f"mean of {defined} fold AUCs{others}; {how}"
        mean = float(np.nanmean(areas))
        yield "auc", limits(mean, drawn, lambda: leave_one_out(sample, statistic), settings, method)
        yield "auc_corrected_t", corrected(sample, areas, settings)
        yield "auc_fold_sd", spread(areas, "folds")
    method = f"{averaged(sample)}AUC of the pooled out-of-fold predictions; {how}"
    yield "auc_pooled", bootstrapped(sample, weights, pooled_auc(sample), settings, method)
    yield "auc_repeat_sd", spread(fold_aucs(sample.event, sample.probability, sample.repeats), "repeats (pooled)")


def corrected(sample: Sample, areas: Array, settings: ValidateSettings) -> Interval:
    """The same mean with the corrected resampled t interval, within 0 and 1."""
    test = float(np.mean([rows.size for repeat in sample.folds for rows in repeat]))
    if sample.n <= test:
        return Interval(float(np.nanmean(areas)), _NAN, _NAN, "no interval: one fold holds every patient")
    value = corrected_interval(areas, test_train_ratio=test / (sample.n - test), confidence=settings.confidence)
    return Interval(value.estimate, max(0.0, value.lower), min(1.0, value.upper), value.method)


def spread(areas: Array, over: str) -> Interval:
    """Standard deviation of the AUC over folds or repeats: partition noise, never a standard error."""
    there = areas[np.isfinite(areas)]
    if there.size < 2:
        return missing(f"not computed: fewer than two {over}")
    what = f"partition noise: standard deviation of the AUC over {there.size} {over}; not a standard error, no interval"
    return Interval(float(there.std(ddof=1)), _NAN, _NAN, what)
