"""How far each model's choice of variables stays the same when the patients change."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, number
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "stability"
TITLE = "Stability of the selection"


def view(result: Result) -> View | None:
    """One row a model; None in a run that did not measure it."""
    table = result.tables.get("stability", pd.DataFrame())
    if not len(table):
        return None
    rows = [
        [
            str(row["model"]),
            "every fold uses all or none"
            if pd.isna(row["stability"])
            else interval_text(Interval(row["stability"], row["lower"], row["upper"], row["method"])),
            f"{number(row['mean'], 1)} ({row['smallest']:.0f} to {row['largest']:.0f})",
            f"{row['columns']:.0f}",
        ]
        for row in table.to_dict("records")
    ]
    folds = int(table["selections"].max())
    columns = ["Model", "Stability", "Variables used", "of"]
    caption = (
        f"Nogueira's index over the {folds} folds: 1 where every fold uses the same variables, 0 where they agree no more than "
        "random choices of their number would. The folds share patients, so the interval is too narrow."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, None, tuple(columns[1:]))
