"""Where the masks come from that the run was given or drew itself."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "ORIGINS", "TITLE", "view"]

NAME = "masks"
TITLE = "Origin of the masks"

ORIGINS = {
    "manual": "drawn by hand",
    "semi-automatic": "grown from clicks",
    "network": "drawn by a network",
    "edited": "drawn by a program, edited by a reader",
    "unknown": "as given; the file does not say how it was drawn",
}
"""Kinds of origin in words."""

_FACTS = ("origin", "method", "masks", "unseen_out_of_fold", "held_out_cases", "held_out_dice")


def view(result: Result) -> View | None:
    """One row an origin; None where the plan has no [segment]."""
    table = result.tables.get(NAME)
    if table is None or not len(table):
        return None
    classes = [column for column in table.columns if column not in _FACTS]
    rows = []
    for row in table.to_dict("records"):
        judged = "–"
        if pd.notna(row["held_out_dice"]):
            judged = f"{number(row['held_out_dice'])} ({int(row['held_out_cases'])} cases)"
        counts = [str(int(row[name])) for name in classes]
        rows.append(
            [ORIGINS.get(row["origin"], row["origin"]), str(row["method"]), str(int(row["masks"])), judged, *counts]
        )
    caption = (
        "Masks of the cases in the study. Dice: of the lesion, mean over the cases that the network's own training held out. A case that "
        "trained the network was drawn only by networks of other folds, which never saw it. masks/masks.csv has every case."
    )
    return View(pd.DataFrame(rows, columns=["Masks", "Method", "Cases", "Dice when held out", *classes]), caption)
