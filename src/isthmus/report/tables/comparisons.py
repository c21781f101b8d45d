"""Which differences between models are more than chance."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import SPLITS
from isthmus.report.tables._view import View
from isthmus.report.wording import number, p_value
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "comparisons"
TITLE = "Comparisons of models"

_WORDS = {"model_a": "Model A", "model_b": "Model B", "split": "Patients", "test": "Test", "statistic": "Statistic", "p": "p"}


def view(result: Result) -> View | None:
    """The tests of comparisons.csv; None where models were not compared."""
    table = result.comparisons
    if not len(table):
        return None
    frame = pd.DataFrame(index=table.index)
    for column in table.columns:
        name = _WORDS.get(column, column.replace("_", " "))
        if column == "split":
            frame[name] = [SPLITS.get(split, split) for split in table[column]]
        elif column.startswith("p") and column != "permutations":
            frame[name] = [p_value(p) for p in table[column]]
        elif pd.api.types.is_numeric_dtype(table[column]):
            frame[name] = [number(value) for value in table[column]]
        else:
            frame[name] = table[column].fillna("").astype(str)
    corrected = any("adjusted" in column or "corrected" in column for column in table.columns)
    note = "" if corrected or len(table) < 2 else f" The p-values are not corrected for {len(table)} comparisons."
    return View(frame, f"Two-sided tests on the same patients.{note}", None, ("Statistic", "p"))
