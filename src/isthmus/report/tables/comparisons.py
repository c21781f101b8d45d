"""Which differences between models are more than chance."""

from __future__ import annotations

from math import isnan

import pandas as pd

from isthmus.report.facts import as_text, split_name
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, number, p_value
from isthmus.stats.interval import Interval
from isthmus.stats.reclassification import CAUTION
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "comparisons"
TITLE = "Comparisons of models"

_TEXT = {"model_a": "Model A", "model_b": "Model B", "test": "Test"}


def view(result: Result) -> View | None:
    """The tests of comparisons.csv; None where models were not compared."""
    table = result.comparisons
    if not len(table):
        return None
    frame = pd.DataFrame(index=table.index)
    for column in ("model_a", "model_b", "split", "test"):
        if column == "split":
            frame["Patients"] = [split_name(split) for split in table[column]]
        else:
            frame[_TEXT[column]] = as_text(table[column])
    if "difference" in table.columns:
        frame["A minus B"] = [
            number(row[0], 3) if isnan(row[1]) else interval_text(Interval(row[0], row[1], row[2], ""), 3)
            for row in table[["difference", "lower", "upper"]].astype(float).itertuples(index=False, name=None)
        ]
    frame["Statistic"] = [number(value) for value in table["statistic"]]
    frame["p"] = [p_value(p) for p in table["p"]]
    if "p_adjusted" in table.columns:
        frame["p (adjusted)"] = [p_value(p) for p in table["p_adjusted"]]
        how = result.plan.get("validate", {}).get("adjust", "holm").title()
        note = f"p (adjusted): {how}, over the pairs of one test and split."
    else:
        note = f"The p-values are not corrected for {len(table)} comparisons." if len(table) > 1 else ""
    if "test" in table.columns and table["test"].astype(str).str.contains("NRI|IDI").any():
        note = f"{note} {CAUTION}"
    return View(
        frame,
        f"Two-sided tests on the same patients. {note}".strip(),
        None,
        ("A minus B", "Statistic", "p", "p (adjusted)"),
    )
