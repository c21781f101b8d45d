"""Hazard ratios of Cox models without a penalty, with intervals and the test of proportional hazards."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import confidence
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, p_value
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "hazard_ratios"
TITLE = "Hazard ratios"

_PREFIX = "hazard_ratios_"


def view(result: Result) -> View | None:
    """One row a term of each Cox model the run gave hazard ratios for; None where it gave none."""
    rows: list[list[str]] = []
    headings: dict[int, str] = {}
    for name, table in result.tables.items():
        if not name.startswith(_PREFIX) or not len(table):
            continue
        headings[len(rows)] = name.removeprefix(_PREFIX)
        for row in table.to_dict("records"):
            ratio = Interval(row["hazard_ratio"], row["lower"], row["upper"], "Wald")
            rows.append([str(row["term"]), interval_text(ratio), p_value(row["p"]), p_value(row["ph_p"])])
    if not rows:
        return None
    columns = ["Term", "Hazard ratio", "p", "p (proportional hazards)"]
    caption = (
        f"On the training patients, all terms together; {100 * confidence(result):.0f} % Wald intervals, ties by Efron. A small "
        "p (proportional hazards) says that the effect changes over time (Grambsch and Therneau)."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, headings, tuple(columns[1:]))
