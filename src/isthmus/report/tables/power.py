"""What a study of this size can find: planted signals, and how often each model found them."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "power"
TITLE = "What this sample size can find"


def view(result: Result) -> View | None:
    """One row a model and planted strength; None where no signal was planted."""
    table = result.tables.get(NAME, pd.DataFrame())
    if not len(table):
        return None
    rows = [
        [
            str(row["model"]),
            number(row["planted_auc"]),
            f"{number(row['auc'])} ({number(row['auc_lower'])} to {number(row['auc_upper'])})",
            number(row["null_95"]),
            f"{100 * row['found']:.0f} % ({100 * row['found_lower']:.0f} to {100 * row['found_upper']:.0f} %)",
        ]
        for row in table.to_dict("records")
    ]
    columns = ["Model", "Planted AUC", "Model's AUC", "Needed to count as found", "Found"]
    first = table.iloc[0]
    caption = (
        f"{first['carriers']:.0f} of the study's own predictors, drawn at random, carry a signal of the planted strength; "
        f"{first['draws']:.0f} draws each. Model's AUC: mean over the draws of the cross-validated AUC (5 % to 95 % of them). A signal "
        "counts as found where that AUC exceeds what 5 % of shuffled outcomes reach. Found: share of the draws with its Wilson interval."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, None, tuple(columns[1:]))
