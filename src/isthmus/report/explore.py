"""What the page's script shows of binary predictions: each patient's risk by every model, and what the run found when it compared them.

The numbers are those of predictions.csv, metrics.csv and comparisons.csv; the script counts, and computes no statistic of its own.
"""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd

from isthmus.report.facts import (
    estimate,
    final_model,
    final_threshold,
    patient_predictions,
    split_name,
    task,
    unseen_splits,
)
from isthmus.report.wording import interval_text, metric_name, number, p_value
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["METRICS", "MOST_PATIENTS", "data"]

METRICS = ("auc", "sensitivity", "specificity", "ppv", "npv", "balanced_accuracy", "brier", "calibration_slope")
"""Side by side when two models are compared."""

MOST_PATIENTS = 5000
"""Of one split; a larger one would make the page heavy, and stays in predictions.csv."""


def data(result: Result) -> dict[str, Any] | None:
    """The data of the script; None for other kinds of outcome, or where nobody was predicted."""
    if task(result) != "binary":
        return None
    splits = [found for name in unseen_splits(result) if (found := _split(result, name)) is not None]
    if not splits:
        return None
    models = result.models()
    return {
        "models": models,
        "final": models.index(final_model(result)),
        "cuts": [final_threshold(result, model) for model in models],
        "splits": splits,
    }


def _split(result: Result, split: str) -> dict[str, Any] | None:
    """Patients of a split: outcome, risks (mean over repeats), and how often each model called them high."""
    models = result.models()
    risks = {model: patient_predictions(result, model, split).set_index("patient") for model in models}
    filled = [table for table in risks.values() if len(table)]
    if not filled:
        return None
    outcome = pd.concat(filled)["outcome"].groupby(level=0, sort=True).first()
    if len(outcome) > MOST_PATIENTS or outcome.nunique() < 2:
        return None
    called = {model: _called(result, model, split) for model in models}
    return {
        "name": split_name(split),
        "cv": split == "cv",
        "patients": [str(name) for name in outcome.index],
        "outcome": outcome.astype(int).tolist(),
        "risk": [_numbers(risks[model]["probability"].reindex(outcome.index)) for model in models],
        "called": [_numbers(called[model].reindex(outcome.index)) for model in models],
        "metrics": [
            [metric_name(metric), *(interval_text(one) for one in found)]
            for metric in METRICS
            if any(found := [estimate(result, model, split, metric) for model in models])
        ],
        "comparisons": _comparisons(result, split),
    }


def _called(result: Result, model: str, split: str) -> pd.Series[Any]:
    """Share of a patient's predictions at or above the threshold in use: of its fold, or the one carried to new patients."""
    table = result.predictions
    rows = table[(table["model"] == model) & (table["split"] == split)].dropna(subset=["outcome", "probability"])
    if split == "cv" and len(result.thresholds):
        cuts = result.thresholds[result.thresholds["model"] == model].dropna(subset=["repeat", "fold"])
        rows = rows.merge(cuts[["repeat", "fold", "threshold"]], on=["repeat", "fold"], how="left")
    else:
        rows = rows.assign(threshold=final_threshold(result, model))
    rows = rows[pd.to_numeric(rows["threshold"], errors="coerce").notna()]
    high = rows["probability"] >= rows["threshold"].astype(float)
    return high.astype(float).groupby(rows["patient"]).mean()


def _numbers(values: pd.Series[Any]) -> list[float | None]:
    return [None if isnan(value) else value for value in values.astype(float).tolist()]


def _comparisons(result: Result, split: str) -> list[dict[str, Any]]:
    """The tests of a split, with the difference in both directions as text."""
    table = result.comparisons
    rows = table[table["split"] == split] if len(table) else table
    models, found = result.models(), []
    wanted = ["difference", "lower", "upper", "p", "p_adjusted"]
    for row in rows.reindex(columns=["model_a", "model_b", "test", *wanted]).to_dict("records"):
        if row["model_a"] not in models or row["model_b"] not in models:
            continue
        difference, lower, upper, p, adjusted = (float(row[name]) for name in wanted)
        found.append(
            {
                "a": models.index(row["model_a"]),
                "b": models.index(row["model_b"]),
                "test": str(row["test"]),
                "reversed_test": _turned(str(row["test"])),
                "difference": _difference(difference, lower, upper),
                "reversed": _difference(-difference, -upper, -lower),
                "p": p_value(p),
                "adjusted": p_value(adjusted),
            }
        )
    return found


def _turned(test: str) -> str:
    """A test of one model given the other is another test when the two change places; differences only change their sign."""
    return test.translate(str.maketrans("AB", "BA")) if test.startswith("added value of") else test


def _difference(value: float, lower: float, upper: float) -> str:
    """The limits too where there are any."""
    return number(value, 3) if isnan(lower) else interval_text(Interval(value, lower, upper, ""), 3)
