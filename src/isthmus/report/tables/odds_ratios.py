"""Odds ratios of logistic models without selection, with intervals."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import as_text, confidence
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, p_value
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "odds_ratios"
TITLE = "Odds ratios"

_PREFIX = "odds_ratios_"


def view(result: Result) -> View | None:
    """One row a term of each logistic model the run gave odds ratios for; None where it gave none."""
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for name, table in result.tables.items():
        if not name.startswith(_PREFIX) or not len(table):
            continue
        groups[len(rows)] = name.removeprefix(_PREFIX)
        notes = as_text(table["note"]) if "note" in table else [""] * len(table)
        for row, note in zip(table.to_dict("records"), notes, strict=True):
            if row["term"] != "(intercept)":
                ratio = Interval(row["odds_ratio"], row["lower"], row["upper"], row.get("method", "Wald"))
                rows.append([str(row["term"]), interval_text(ratio), p_value(row["p"]), note])
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["Term", "Odds ratio", "p", "Note"])
    frame = frame.drop(columns=[] if any(frame["Note"]) else ["Note"])
    level = f"{100 * confidence(result):.0f} %"
    methods = ", ".join(sorted(set(_methods(result)))) or "Wald"
    caption = (
        f"On the training patients, all terms together; {level} intervals: {methods}. "
        "Where a step chose the terms by looking at the outcome, these intervals are too narrow."
    )
    return View(frame, caption, groups, ("Odds ratio", "p"))


def _methods(result: Result) -> list[str]:
    """How the limits were made, over all models."""
    tables = [table for name, table in result.tables.items() if name.startswith(_PREFIX)]
    return [str(method) for table in tables if "method" in table for method in table["method"].unique()]
