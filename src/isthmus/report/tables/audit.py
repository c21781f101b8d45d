"""The leakage rules L1 to L13 for this study."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "audit"
TITLE = "Leakage rules, one by one"


def view(result: Result) -> View | None:
    """One row a rule; None for a run of an earlier version."""
    table = result.tables.get(NAME, pd.DataFrame())
    if not len(table):
        return None
    shown = table.rename(
        columns={"rule": "Rule", "what": "What could go wrong", "verdict": "Here", "found": "Why, or what was found"}
    )
    caption = "Cannot happen: a plan has no words for it, and what was fitted where is named. Look at this: the data look odd; you decide."
    return View(shown.fillna("").astype(str), caption, None, ())
