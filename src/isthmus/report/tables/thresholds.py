"""Where each model draws the line, and how much that line moved between folds."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import final_threshold, task, threshold_origin, threshold_rule
from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "thresholds"
TITLE = "Thresholds"


def view(result: Result) -> View | None:
    """The final threshold of each model and the spread over the folds."""
    table = result.thresholds
    if not len(table) or task(result) != "binary":
        return None
    rows = []
    for model in dict.fromkeys(table["model"]):
        folds = table.loc[(table["model"] == model) & table["fold"].notna(), "threshold"].dropna()
        spread = f"{number(folds.median())} ({number(folds.min())} to {number(folds.max())})" if len(folds) else "–"
        rows.append([model, number(final_threshold(result, model)), spread])
    columns = ["Model", "Carried to new patients", "In the folds: median (range)"]
    caption = (
        f"Rule of the plan: {threshold_rule(result)}. Every threshold was {threshold_origin(result)}, none on the patients it is "
        "judged on."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, None, tuple(columns[1:]))
