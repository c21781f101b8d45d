"""Decisions at the threshold fixed on training predictions: sensitivity, specificity and their relatives."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.stats import classification
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import percentile_interval
from isthmus.stats.classification import Counts
from isthmus.stats.interval import Interval
from isthmus.validate.draws import averaged, draw, missing, resampled, total
from isthmus.validate.sample import Sample
from isthmus.validate.settings import ValidateSettings

__all__ = ["decisions"]


def decisions(sample: Sample, settings: ValidateSettings, weights: Array) -> Iterator[tuple[str, Interval]]:
    """Sensitivity and its relatives at the threshold fixed on training predictions."""
    e, c = sample.event, sample.called
    cells = [e & c, ~e & c, ~e & ~c, e & ~c]
    here = Counts(*(float(sample.mean_per_patient(cell).sum()) for cell in cells))
    mean = averaged(sample, " of the two-by-two table")
    for name, parts in classification.PROPORTIONS.items():
        part, whole = parts(here)
        value = classification.proportion_interval(float(part), float(whole), settings.confidence)
        yield name, Interval(value.estimate, value.lower, value.upper, f"{mean}{value.method}")
    if sample.why_not:
        for name in classification.SUMMARIES:
            yield name, missing(sample.why_not)
        return
    per_cell = [draw(sample, weights, total(sample, cell)) for cell in cells]
    for name, formula in classification.SUMMARIES.items():
        method = f"{mean}{resampled(sample)}"
        yield name, percentile_interval(float(formula(here)), formula(Counts(*per_cell)), settings.confidence, method)
