"""Who the patients were: Table 1, as the run made it."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import outcome_name
from isthmus.report.tables._view import View
from isthmus.report.wording import number, p_value
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "table1"
TITLE = "The patients (Table 1)"

_WORDS = {
    "variable": "Variable",
    "level": "",
    "overall": "Overall",
    "missing": "Missing",
    "test": "Test",
    "p": "p",
    "smd": "SMD",
}


def view(result: Result) -> View | None:
    """Table 1 with the test and the standardised difference of each variable; None where the run has none."""
    table = result.tables.get("table1")
    if table is None or not len(table):
        return None
    frame = pd.DataFrame(index=table.index)
    previous = None
    names = []
    for variable in table["variable"].astype(str):
        names.append("" if variable == previous else variable)
        previous = variable
    for column in table.columns:
        if column == "variable":
            frame["Variable"] = names
        elif column == "p":
            frame["p"] = ["" if pd.isna(p) else p_value(p) for p in table["p"]]
        elif column == "smd":
            frame["SMD"] = ["" if pd.isna(value) else number(value) for value in table["smd"]]
        elif column == "missing":
            frame["Missing"] = [
                "" if pd.isna(value) else f"{value:g}" if not isinstance(value, str) else value
                for value in table["missing"]
            ]
        elif column != "statistic":
            frame[_WORDS.get(column, str(column))] = ["" if pd.isna(value) else str(value) for value in table[column]]
    caption = (
        f"Patients by {outcome_name(result)}. p: two-sided, not corrected for the number of variables; "
        "SMD: standardised mean difference, which does not grow with the number of patients."
    )
    return View(frame, caption)
