"""Each development centre left out in turn, and what to expect in a new one."""

from __future__ import annotations

import math

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, number
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "centres"
TITLE = "One centre left out at a time"


def view(result: Result) -> View | None:
    """One row per model and centre, and the summary; None where the plan leaves no centres out."""
    table = result.tables.get("centres", pd.DataFrame())
    if not len(table):
        return None
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for model in dict.fromkeys(table["model"]):
        groups[len(rows)] = str(model)
        for row in table[table["model"] == model].to_dict("records"):
            area = Interval(row["auc"], row["lower"], row["upper"], "")
            rows.append(
                [
                    str(row["centre"]),
                    f"{row['n']:.0f} ({row['n_events']:.0f})",
                    number(area.estimate) if math.isnan(area.estimate) else interval_text(area),
                    str(row["method"]),
                ]
            )
    columns = ["Centre", "Patients (with the outcome)", "AUC", "Method"]
    caption = (
        "The whole procedure is repeated without each centre and judged there. A new centre: where its AUC may lie, given how much "
        "these centres differ; with few centres that range is wide, and that is the truth of it."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, groups, tuple(columns[1:3]))
