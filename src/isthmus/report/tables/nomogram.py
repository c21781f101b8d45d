"""The nomogram of the final model in numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "nomogram", "view"]

NAME = "nomogram"
TITLE = "Nomogram: the final model by hand"


def nomogram(result: Result) -> pd.DataFrame | None:
    """The table of points of the final model; None where it is no straight sum of predictors."""
    table = result.tables.get(f"nomogram_{final_model(result)}")
    return table if table is not None and len(table) else None


def view(result: Result) -> View | None:
    """One row a predictor with the points of its values, then the total points of each risk."""
    table = nomogram(result)
    if table is None:
        return None
    axes = table[table["part"] == "predictor"].groupby("predictor", sort=False)
    rows = [[str(part["label"].iloc[0]), _listed(part, 0)] for _, part in axes]
    risks = table[table["part"] == "risk"]
    if len(risks):
        rows.append(["Risk at total points", _listed(risks, 0)])
    caption = (
        f"{final_model(result)}: value → points. Between two values of a number points lie on a straight line; beyond the first and last "
        f"value the model was hardly taught. nomogram_{final_model(result)}.csv holds more digits."
    )
    return View(pd.DataFrame(rows, columns=["Predictor", "Points"]), caption)


def _listed(part: pd.DataFrame, digits: int) -> str:
    def said(row: Any) -> str:
        return f"{row['text']}\u00a0→\u00a0{number(row['points'], digits)}"

    return ", ".join(said(row) for row in part.to_dict("records"))
