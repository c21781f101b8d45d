"""Who a figure shows: patients and events of the study and of each split, as its caption prints them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from isthmus.report.facts import estimate, final_model, patient_predictions, patients, split_name, task, unseen_splits
from isthmus.report.figures.class_roc import class_columns
from isthmus.report.wording import plural
from isthmus.study.result import Result

__all__ = ["analysed", "counts", "training", "unseen"]


def counts(result: Result, outcomes: pd.Series[Any]) -> str:
    """How many patients have which outcome, in words."""
    codes = pd.to_numeric(outcomes, errors="coerce")
    if task(result) in ("binary", "survival"):
        return f"{int((codes == 1).sum())} with the {'outcome' if task(result) == 'binary' else 'event'}"
    return ", ".join(f"{int((codes == code).sum())} {name}" for code, name in enumerate(class_columns(result)))


def analysed(result: Result) -> str:
    """`n = 80 analysed, 27 with the outcome.`"""
    everyone = patients(result)
    return _line(result, everyone[everyone["status"] == "included"], "analysed")


def training(result: Result) -> str:
    """The patients models were trained on."""
    everyone = patients(result)
    return _line(result, everyone[(everyone["status"] == "included") & (everyone["split"] == "train")], "in training")


def unseen(result: Result, splits: Sequence[str] | None = None) -> str:
    """Patients and events of every split of unseen patients: those the final model predicted, or that another site counted."""
    parts = []
    for split in unseen_splits(result) if splits is None else splits:
        shown = patient_predictions(result, final_model(result), split)
        if len(shown):
            parts.append(f"{split_name(split)} n = {len(shown)}, {counts(result, shown['outcome'])}")
            continue
        n, events = (estimate(result, final_model(result), split, name) for name in ("n", "n_events"))
        if n is not None:
            known = "" if events is None else f", {events.estimate:.0f} with the outcome"
            parts.append(f"{split_name(split)} n = {n.estimate:.0f}{known}")
    return f"{'; '.join(parts)}." if parts else "n = 0 patients were predicted by a model that had not seen them."


def _line(result: Result, rows: pd.DataFrame, what: str) -> str:
    return f"n = {plural(len(rows), 'patient')} {what}, {counts(result, rows['outcome'])}."
