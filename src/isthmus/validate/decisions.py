"""Decisions at the threshold fixed on training predictions: sensitivity, specificity and their relatives."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from isthmus.stats import classification
from isthmus.stats.binary import Array
from isthmus.stats.classification import Counts
from isthmus.stats.interval import Interval
from isthmus.validate.draws import averaged, draw, leave_one_out, limits, missing, resampled, total
from isthmus.validate.sample import Sample
from isthmus.validate.settings import ValidateSettings

__all__ = ["decisions"]


def decisions(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Sensitivity and its relatives at the threshold fixed on training predictions."""
    cells = _cells(sample)
    here = Counts(*(float(sample.mean_per_patient(cell).sum()) for cell in cells))
    mean, level = averaged(sample, " of the two-by-two table"), settings.confidence
    for name, parts in classification.PROPORTIONS.items():
        part, whole = parts(here)
        value = classification.proportion_interval(
            float(part), float(whole), level, method=settings.intervals.proportion
        )
        yield name, _noted(mean, value)
    yield "likelihood_ratio_positive", _noted(mean, classification.likelihood_ratio_positive(here, level))
    yield "likelihood_ratio_negative", _noted(mean, classification.likelihood_ratio_negative(here, level))
    yield "diagnostic_odds_ratio", _noted(mean, classification.diagnostic_odds_ratio(here, level))
    if settings.prevalence is not None:
        at = f"{mean}at a prevalence of {settings.prevalence:g}: "
        yield "ppv_at_prevalence", _noted(at, classification.ppv_at_prevalence(here, settings.prevalence, level))
        yield "npv_at_prevalence", _noted(at, classification.npv_at_prevalence(here, settings.prevalence, level))
    if sample.why_not:
        for name in classification.SUMMARIES:
            yield name, missing(sample.why_not)
        return
    drawn = Counts(*(draw(sample, weights, total(sample, cell)) for cell in cells))

    @functools.cache
    def left_out() -> Counts:
        return Counts(*(leave_one_out(sample, total(sample, cell)) for cell in cells))

    for name, formula in classification.SUMMARIES.items():
        method = f"{mean}{resampled(sample)}"
        yield (
            name,
            limits(
                float(formula(here)),
                formula(drawn),
                lambda formula=formula: formula(left_out()),  # type: ignore[misc]
                settings,
                method,
            ),
        )


def _cells(sample: Sample) -> list[NDArray[np.bool_]]:
    """True and false positives, true and false negatives, row by row."""
    e, c = sample.event, sample.called
    return [e & c, ~e & c, ~e & ~c, e & ~c]


def _noted(before: str, value: Interval) -> Interval:
    return Interval(value.estimate, value.lower, value.upper, f"{before}{value.method}")
