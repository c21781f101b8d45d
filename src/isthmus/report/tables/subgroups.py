"""The final model in every subgroup, in numbers."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from isthmus.report.facts import final_model, split_name
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, number
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "subgroups"
TITLE = "Subgroups"

_METRICS = {
    "auc": "AUC",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "calibration_in_the_large": "Calibration in the large",
    "calibration_slope": "Calibration slope",
}


def view(result: Result) -> View | None:
    """One row per level and split of the final model; None where the plan names no subgroups."""
    table = result.tables.get("subgroups", pd.DataFrame())
    table = table[table["model"] == final_model(result)] if len(table) else table
    if not len(table):
        return None
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for split in dict.fromkeys(table["split"]):
        groups[len(rows)] = split_name(str(split))
        part = table[table["split"] == split]
        for (name, level), found in part.groupby(["subgroup", "level"], sort=False):
            by = {str(row["metric"]): row for row in found.to_dict("records")}
            head = [f"{name}: {level}", f"{found['n'].iloc[0]:.0f} ({found['n_events'].iloc[0]:.0f})"]
            rows.append([*head, *(_cell(by[metric]) for metric in _METRICS), _difference(by["auc"])])
    columns = ["Subgroup", "Patients (with the outcome)", *_METRICS.values(), "AUC minus the rest"]
    least = result.plan.get("validate", {}).get("subgroup_minimum", 10)
    caption = (
        f"Nothing is estimated with fewer than {least} patients of a class that it needs. "
        f"{len(rows)} rows were looked at: some differences arise by chance, so a difference is a reason to look, not a finding. In "
        "cross-validation the AUC is that of the pooled predictions."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, groups, tuple(columns[1:]))


def _cell(row: dict[Any, Any]) -> str:
    """Estimate and interval, or that there are too few."""
    if str(row["method"]).startswith("not estimated"):
        return "too few"
    return interval_text(Interval(row["estimate"], row["lower"], row["upper"], ""))


def _difference(row: dict[Any, Any]) -> str:
    if math.isnan(row["difference"]):
        return "–"
    if math.isnan(row["difference_lower"]):
        return number(row["difference"])
    return interval_text(Interval(row["difference"], row["difference_lower"], row["difference_upper"], ""))
