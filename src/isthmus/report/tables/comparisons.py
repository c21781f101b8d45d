"""Which differences between models are more than chance."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import as_text, split_name
from isthmus.report.tables._view import View
from isthmus.report.wording import number, p_value
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "comparisons"
TITLE = "Comparisons of models"

_WORDS = {
    "model_a": "Model A",
    "model_b": "Model B",
    "split": "Patients",
    "test": "Test",
    "statistic": "Statistic",
    "p": "p",
    "p_holm": "p (Holm)",
}


def view(result: Result) -> View | None:
    """The tests of comparisons.csv; None where models were not compared."""
    table = result.comparisons
    if not len(table):
        return None
    frame = pd.DataFrame(index=table.index)
    for column in (column for column in _WORDS if column in table.columns):
        if column == "split":
            frame[_WORDS[column]] = [split_name(split) for split in table[column]]
        elif column in ("p", "p_holm"):
            frame[_WORDS[column]] = [p_value(p) for p in table[column]]
        elif column == "statistic":
            frame[_WORDS[column]] = [number(value) for value in table[column]]
        else:
            frame[_WORDS[column]] = as_text(table[column])
    if "p_holm" in table.columns:
        note = "p (Holm) is corrected for the number of pairs."
    else:
        note = f"The p-values are not corrected for {len(table)} comparisons." if len(table) > 1 else ""
    return View(frame, f"Two-sided tests on the same patients. {note}".strip(), None, ("Statistic", "p", "p (Holm)"))
