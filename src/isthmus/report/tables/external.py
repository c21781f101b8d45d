"""The models outside cross-validation: patients set aside, other centres, and numbers that other sites sent."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import confidence, estimate, measure, split_name, task, unseen_splits
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, metric_name, number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "external"
TITLE = "On patients who took no part"

_COLUMNS = {
    "binary": ("calibration_slope", "calibration_in_the_large", "o_e", "sensitivity", "specificity"),
    "survival": ("calibration_slope", "o_e", "hazard_ratio_groups"),
    "multiclass": ("balanced_accuracy", "kappa"),
    "ordinal": ("balanced_accuracy", "quadratic_kappa"),
}


def view(result: Result) -> View | None:
    """One row a model and split, cross-validation first to compare with; None where there is no other split."""
    present = unseen_splits(result)
    if not [split for split in present if split != "cv"]:
        return None
    metrics = (measure(result), *_COLUMNS[task(result)])
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for model in result.models():
        start = len(rows)
        for split in present:
            found = [estimate(result, model, split, metric) for metric in ("n", "n_events", *metrics)]
            if any(one is not None for one in found):
                whole = [number(None if one is None else one.estimate, 0) for one in found[:2]]
                rows.append([split_name(split), *whole, *(interval_text(one) for one in found[2:])])
        if len(rows) > start:
            groups[start] = model
    if not rows:
        return None
    columns = ["Patients from", "n", "Events", *map(metric_name, metrics)]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.loc[:, [name for name in columns if set(frame[name]) != {"–"}]]
    caption = (
        f"Estimate ({100 * confidence(result):.0f} % confidence interval); the method of each interval is under all numbers. Model and "
        "threshold were not changed for these patients."
    )
    return View(frame, caption, groups, tuple(frame.columns[1:]))
