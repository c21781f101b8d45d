"""The null study in numbers."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import estimate, measure, measure_name
from isthmus.report.tables._view import View
from isthmus.report.wording import capitalised, interval_text, number, p_value
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "null_study"
TITLE = "Null study"


def view(result: Result) -> View | None:
    """One row a model; None where the null study was off."""
    table = result.tables.get("null_study", pd.DataFrame())
    if not len(table):
        return None
    rows = [
        [
            str(row["model"]),
            interval_text(estimate(result, str(row["model"]), "cv", measure(result))),
            f"{number(row['null_mean'], 3)} ({number(row['null_lower'])} to {number(row['null_upper'])})",
            f"{row['permutations']:.0f}",
            p_value(row["p"]),
            str(row["verdict"]),
        ]
        for row in table.to_dict("records")
    ]
    columns = ["Model", "This study", "Shuffled outcomes", "Permutations", "p", "Verdict"]
    caption = (
        f"{capitalised(measure_name(result))}. This study: cross-validation with its interval, as under All models. Shuffled outcomes: "
        "mean (95 % range). "
        "p = (1 + number of shuffled ones at least as large) / (1 + permutations), so few permutations "
        "cannot give a small p."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, None, tuple(columns[1:5]))
