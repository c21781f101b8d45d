"""The null study in numbers."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import number, p_value
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "null_study"
TITLE = "Null study"


def view(result: Result) -> View | None:
    """One row a model; None where the null study was off."""
    table = result.tables.get("null_study")
    if table is None or not len(table):
        return None
    rows = [
        [
            str(row.model),
            number(row.observed),
            f"{number(row.null_mean, 3)} ({number(row.null_lower)} to {number(row.null_upper)})",
            f"{row.permutations:g}",
            p_value(row.p),
            str(row.verdict),
        ]
        for row in table.itertuples()
    ]
    columns = ["Model", "AUC of the study", "AUC with shuffled outcomes: mean (95 % range)", "Permutations", "p", "Verdict"]
    caption = "p = (1 + number of shuffled AUCs at least as large) / (1 + permutations); the smallest p that many permutations can give is 1 / (1 + permutations)."
    return View(pd.DataFrame(rows, columns=columns), caption, None, tuple(columns[1:5]))
