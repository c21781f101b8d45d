"""What the quality checks of the images found: which failed, for how many cases, and how many passed."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import as_text
from isthmus.report.tables._view import View
from isthmus.report.wording import number, share
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "failed_view", "view"]

NAME = "quality"
TITLE = "Quality of the images"

MOST = 40
"""Failed images on the page."""


def view(result: Result) -> View | None:
    """One row a check and block; None where no image was judged."""
    table = result.quality
    if not len(table):
        return None
    rows = []
    for (block, check), part in _checked(table).groupby(["block", "check"], sort=False):
        judged = part["passed"].dropna().astype(str).str.lower()
        values = pd.to_numeric(part["value"], errors="coerce").dropna()
        unit = next((text for text in as_text(part["unit"]) if text), "")
        limit = next((text for text in as_text(part["limit"]) if text), "reported only")
        spread = (
            f"{_figure(values.median())} [{_figure(values.min())}, {_figure(values.max())}] {unit.replace('mm3', 'mm³')}".strip()
            if len(values)
            else "–"
        )
        failed = int((judged == "false").sum())
        rows.append(
            [
                str(check).replace("_", " "),
                str(block),
                spread,
                limit,
                share(failed, len(judged)) if len(judged) else "–",
                number(len(judged) - failed, 0) if len(judged) else "–",
                number(len(part) - len(values), 0),
            ]
        )
    columns = ["Check", "Block", "Median [range]", "Must be", "Failed", "Passed", "Could not be judged"]
    order = sorted(range(len(rows)), key=lambda i: rows[i][4] == "–" or rows[i][4].startswith("0 "))
    caption = "Made on the unprepared images. A failed check excludes nobody unless the plan said so beforehand."
    return View(pd.DataFrame([rows[i] for i in order], columns=columns), caption, None, tuple(columns[4:]))


def failed_view(result: Result) -> View | None:
    """Every case with a failed check; None where all passed or no image was judged."""
    table = result.quality
    if not len(table):
        return None
    table = _checked(table)
    table = table[table["passed"].astype(str).str.lower() == "false"]
    if not len(table):
        return None
    caption = f"The first {MOST} of {len(table)}; all are in quality.csv." if len(table) > MOST else ""
    table = table[:MOST]
    values, units = table["value"].astype(float), as_text(table["unit"])
    frame = pd.DataFrame(
        {
            "Patient": as_text(table["patient"]),
            "Block": as_text(table["block"]),
            "Check": [text.replace("_", " ") for text in as_text(table["check"])],
            "Value": [
                f"{_figure(value)} {unit.replace('mm3', 'mm³')}".strip()
                for value, unit in zip(values, units, strict=True)
            ],
            "Must be": as_text(table["limit"]),
        }
    )
    return View(frame, caption, None, ("Value",))


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """The table with every column it should have."""
    return table.reindex(columns=["patient", "block", "check", "value", "unit", "limit", "passed"])


def _figure(value: float) -> str:
    """Four digits, and of large numbers no power of ten."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
