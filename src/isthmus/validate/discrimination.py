"""Discrimination: AUC and precision-recall of one model on one split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from isthmus.stats import classification, roc
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import percentile_interval
from isthmus.stats.corrected import corrected_interval
from isthmus.stats.interval import Interval
from isthmus.validate.draws import averaged, bootstrapped, draw, missing, over, resampled
from isthmus.validate.sample import Rows, Sample
from isthmus.validate.settings import ValidateSettings

__all__ = ["discrimination", "fold_aucs"]

_NAN = float("nan")


def fold_aucs(event: NDArray[np.bool_], probability: Array, folds: tuple[Rows, ...]) -> Array:
    """AUC within each outer fold; NaN where a fold has one class."""
    return np.array([roc.auc(event[rows], probability[rows]) for rows in folds])


def discrimination(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """AUC and PR-AUC; on cv the mean of the fold AUCs, the pooled AUC, and how much the partition matters."""
    if sample.split == "cv":
        yield from _cross_validated_auc(sample, settings, weights)
    elif sample.why_not:
        yield "auc", missing(sample.why_not)
    else:
        yield "auc", roc.delong_interval(sample.event, sample.probability, settings.confidence)

    def average_precision(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return roc.weighted_average_precision(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])

    how = resampled(sample, stratified=True)
    method = f"{averaged(sample)}average precision (compare with the prevalence); {how}"
    yield "pr_auc", bootstrapped(sample, weights, average_precision, settings, method)
    events = float(sample.patient_event.sum())
    yield "prevalence", classification.proportion_interval(events, sample.n, settings.confidence)


def _cross_validated_auc(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    folds = tuple(rows for repeat in sample.folds for rows in repeat)
    areas = fold_aucs(sample.event, sample.probability, folds)
    defined = int(np.isfinite(areas).sum())
    how = resampled(sample, stratified=True)

    def mean_of_folds(r: int, w: Array) -> Array:
        values = np.array(
            [
                roc.weighted_auc(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])
                for rows in sample.folds[r]
            ]
        )
        there = np.isfinite(values)
        total, used = np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0)
        return over(total, used)

    def pooled(r: int, w: Array) -> Array:
        rows = sample.repeats[r]
        return roc.weighted_auc(sample.event[rows], sample.probability[rows], w[:, sample.patient[rows]])

    if not defined:
        reason = sample.why_not or "not computed: no fold holds both classes; see auc_pooled"
        for metric in ("auc", "auc_corrected_t", "auc_fold_sd"):
            yield metric, missing(reason)
    else:
        others = "" if defined == areas.size else f" ({areas.size - defined} more folds hold one class)"
        drawn = draw(sample, weights, mean_of_folds)
        method = f"mean of {defined} fold AUCs{others}; {how}"
        yield "auc", percentile_interval(float(np.nanmean(areas)), drawn, settings.confidence, method)
        yield "auc_corrected_t", _corrected(sample, areas, settings)
        yield "auc_fold_sd", _spread(areas, "folds")
    method = f"{averaged(sample)}AUC of the pooled out-of-fold predictions; {how}"
    yield "auc_pooled", bootstrapped(sample, weights, pooled, settings, method)
    yield "auc_repeat_sd", _spread(fold_aucs(sample.event, sample.probability, sample.repeats), "repeats (pooled)")


def _corrected(sample: Sample, areas: Array, settings: ValidateSettings) -> Interval:
    """The same mean with the corrected resampled t interval, within 0 and 1."""
    test = float(np.mean([rows.size for repeat in sample.folds for rows in repeat]))
    if sample.n <= test:
        return Interval(float(np.nanmean(areas)), _NAN, _NAN, "no interval: one fold holds every patient")
    value = corrected_interval(areas, test_train_ratio=test / (sample.n - test), confidence=settings.confidence)
    return Interval(value.estimate, max(0.0, value.lower), min(1.0, value.upper), value.method)


def _spread(areas: Array, over: str) -> Interval:
    """Standard deviation of the AUC over folds or repeats: partition noise, never a standard error."""
    there = areas[np.isfinite(areas)]
    if there.size < 2:
        return missing(f"not computed: fewer than two {over}")
    what = f"partition noise: standard deviation of the AUC over {there.size} {over}; not a standard error, no interval"
    return Interval(float(there.std(ddof=1)), _NAN, _NAN, what)
