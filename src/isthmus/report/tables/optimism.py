"""Apparent performance corrected for its optimism by repeating everything on bootstrap samples."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import metric_name, number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "optimism"
TITLE = "Optimism"


def view(result: Result) -> View | None:
    """One row per model and measure; None where the plan asks for no bootstrap samples."""
    table = result.tables.get("optimism", pd.DataFrame())
    if not len(table):
        return None
    columns = {
        "apparent": "Apparent",
        "optimism": "Optimism",
        "corrected": "Corrected",
        "out_of_sample": "Left out",
        "plus": ".632+",
    }
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for model in dict.fromkeys(table["model"]):
        groups[len(rows)] = str(model)
        for row in table[table["model"] == model].to_dict("records"):
            rows.append(
                [metric_name(str(row["metric"])), *(number(row[key], 3) for key in columns), f"{row['draws']:.0f}"]
            )
    names = ["Measure", *columns.values(), "Samples"]
    caption = (
        "Selection, tuning and fit repeated on bootstrap samples of the patients (Harrell). Optimism: mean of (on the sample minus on "
        "all patients); corrected: apparent minus optimism. Left out: patients a sample does not hold. .632+ lies between."
    )
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:]))
