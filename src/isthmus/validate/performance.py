"""How well each model does on each split: every number with its interval and the method that made it.

On the cross-validated split a patient has one prediction per repeat. Numbers that need many patients (AUC over pooled
rows, calibration) are computed per repeat and averaged; numbers that are means over patients average a patient's
repeats first. Either way the unit of every interval is the patient. `docs/explanation/statistics.md` lists the
definitions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from isthmus.stats.bootstrap import patient_multiplicities
from isthmus.stats.interval import Interval
from isthmus.stats.seeds import child_seed
from isthmus.validate.accuracy import calibration_metrics, overall
from isthmus.validate.decisions import decisions
from isthmus.validate.discrimination import discrimination, fold_aucs
from isthmus.validate.draws import missing
from isthmus.validate.sample import SPLITS, Sample, prepare, sample_of
from isthmus.validate.settings import ValidateSettings

__all__ = ["SPLITS", "fold_aucs", "performance", "prepare"]

_NAN = float("nan")


def performance(
    predictions: pd.DataFrame, thresholds: pd.DataFrame, *, settings: ValidateSettings, seed: int
) -> pd.DataFrame:
    """Discrimination, decisions, calibration and overall accuracy of every model on every split, with intervals.

    Parameters
    ----------
    predictions : DataFrame
        patient, model, split, repeat, fold, outcome (0/1), probability; on `cv` one row per patient and repeat,
        elsewhere one row per patient. Rows without a probability are left out and counted in the method of `n`.
    thresholds : DataFrame
        model, repeat, fold, threshold; the row without repeat and fold is the final model's.
    settings : ValidateSettings
        `bootstrap` (draws) and `confidence`.
    seed : int
        Study seed; every model and split derives its own.

    Returns
    -------
    DataFrame
        model, split, metric, estimate, lower, upper, method. A number that cannot be computed is NaN, and
        `method` says why.

    Raises
    ------
    TableError
        The predictions are malformed (see `prepare`) or a threshold is missing.
    """
    frame = prepare(predictions)
    rows = []
    for model in dict.fromkeys(predictions["model"]):
        for split in SPLITS:
            part = frame[(frame["model"] == model) & (frame["split"] == split)]
            if not len(part):
                continue
            sample = sample_of(part, thresholds, model, split)
            rng = np.random.default_rng(child_seed(seed, "performance", model, split))
            for metric, value in _metrics(sample, settings, rng):
                rows.append((model, split, metric, value.estimate, value.lower, value.upper, value.method))
    return pd.DataFrame(rows, columns=["model", "split", "metric", "estimate", "lower", "upper", "method"])


def _metrics(sample: Sample, settings: ValidateSettings, rng: np.random.Generator) -> Iterator[tuple[str, Interval]]:
    """Every metric of one model on one split."""
    event, draws = sample.patient_event, settings.bootstrap
    # ranking metrics hold the number of events fixed; the others also carry the uncertainty of the prevalence
    stratified = patient_multiplicities(event, draws=draws, rng=rng) if sample.n else np.empty((draws, 0))
    plain = patient_multiplicities(event, draws=draws, rng=rng, stratified=False) if sample.n else np.empty((draws, 0))
    yield from discrimination(sample, settings, stratified)
    yield from decisions(sample, settings, plain)
    yield from overall(sample, settings, plain)
    yield from calibration_metrics(sample, settings, plain)
    yield from _facts(sample, settings)


def _facts(sample: Sample, settings: ValidateSettings) -> Iterator[tuple[str, Interval]]:
    """Number of patients and events, and the threshold that was applied."""
    left_out = f"; {sample.missing} rows without a probability left out" if sample.missing else ""
    yield "n", Interval(sample.n, _NAN, _NAN, f"count of patients{left_out}")
    yield "n_events", Interval(int(sample.patient_event.sum()), _NAN, _NAN, "count of patients with the event")
    if not sample.n:
        yield "threshold", missing(sample.why_not)
    elif sample.split == "cv":
        per_fold = np.array([sample.threshold[rows[0]] for repeat in sample.folds for rows in repeat])
        what = f"mean of {per_fold.size} folds, each fixed on its training predictions; limits: smallest and largest"
        yield "threshold", Interval(float(per_fold.mean()), float(per_fold.min()), float(per_fold.max()), what)
    else:
        value = float(sample.threshold[0])
        yield "threshold", Interval(value, _NAN, _NAN, "fixed on training predictions, carried over")
