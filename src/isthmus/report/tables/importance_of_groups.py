"""Importance of groups of features in forests that were told groups."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "importance_of_groups"
TITLE = "Importance of groups of features"

TOP = 15


def view(result: Result) -> View | None:
    """The most important groups of each model; None where no model was told groups."""
    table = result.tables.get("importance_of_groups", pd.DataFrame())
    if not len(table):
        return None
    rows: list[list[str]] = []
    heads: dict[int, str] = {}
    for model, part in table.groupby("model", sort=False):
        heads[len(rows)] = str(model)
        rows += [
            [str(row["group"]), number(row["importance"], 4), number(row["importance_whole_forest"], 4)]
            for row in part.head(TOP).to_dict("records")
        ]
    names = ["Group", "Importance", "Whole forest"]
    caption = (
        "Rise of 1 − G-mean out of bag, in the forest of all training patients, when the columns of a group are noised together: over "
        "blocks of trees, and over the whole forest at once. No held-out patients take part."
    )
    return View(pd.DataFrame(rows, columns=names), caption, heads, tuple(names[1:]))
