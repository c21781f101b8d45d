"""The variables of every model, with how often they were chosen and with what effect."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "selected"
TITLE = "Selected features"

TOP = 20


def view(result: Result) -> View | None:
    """The most frequent variables of each model (the whole list is in selected.csv), the final model first."""
    table = result.selected
    if not len(table):
        return None
    rows, groups = [], {}
    final = final_model(result)
    for model in [final, *(m for m in result.models() if m != final)]:
        part = table[table["model"] == model].sort_values(["frequency", "feature"], ascending=[False, True], kind="stable")
        if not len(part):
            continue
        more = f" – {TOP} of {len(part)}, the others are in selected.csv" if len(part) > TOP else ""
        groups[len(rows)] = f"{model}{' (final model)' if model == final else ''}{more}"
        for row in part.head(TOP).itertuples():
            frequency = "–" if pd.isna(row.frequency) else f"{100 * row.frequency:.0f} %"
            rows.append([str(row.feature), frequency, number(row.coefficient, 3), number(row.importance, 3)])
    columns = ["Feature", "Chosen in folds", "Coefficient", "Importance"]
    caption = (
        "Coefficient (on the scale the model uses) or importance in the final fit. They describe the model; "
        "they are not effects with intervals, because the variables were chosen by looking at the outcome."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, groups, tuple(columns[1:]))
