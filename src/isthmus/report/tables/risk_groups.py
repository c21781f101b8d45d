"""What became of each risk group."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import confidence, horizon_text, split_name, splits, time_name
from isthmus.report.tables._view import View
from isthmus.report.wording import interval_text, number
from isthmus.stats.interval import Interval
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "risk_groups"
TITLE = "Risk groups"


def view(result: Result) -> View | None:
    """One row per model, split and group; None of other outcomes than a time to event."""
    table = result.tables.get("risk_groups", pd.DataFrame())
    if not len(table):
        return None
    rows: list[list[str]] = []
    headings: dict[int, str] = {}
    for split in [name for name in splits(result) if name in set(table["split"])]:
        headings[len(rows)] = split_name(split)
        for row in table[table["split"] == split].to_dict("records"):
            middle = Interval(row["median"], row["median_lower"], row["median_upper"], "")
            free = Interval(row["event_free"], row["event_free_lower"], row["event_free_upper"], "")
            reached = _median(middle)
            rows.append(
                [row["model"], row["group"], f"{row['n']:.0f}", f"{row['n_events']:.0f}", reached, interval_text(free)]
            )
    at = f"Free of the event at {horizon_text(result)}"
    unit = "" if time_name(result) == "time" else f" ({time_name(result)})"
    columns = ["Model", "Risk group", "Patients", "Events", f"Median time{unit}", at]
    caption = (
        f"Kaplan-Meier with {100 * confidence(result):.0f} % intervals. Groups were cut on training predictions; of repeated "
        "cross-validation the first repeat is shown, where each patient occurs once."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, headings, tuple(columns[2:]))


def _median(value: Interval) -> str:
    if value.estimate != value.estimate:
        return "not reached"
    upper = "not reached" if value.upper != value.upper else number(value.upper)
    return f"{number(value.estimate)} ({number(value.lower)} to {upper})"
