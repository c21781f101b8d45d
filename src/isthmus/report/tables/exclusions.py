"""Every case that left the study, with the step and the reason."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import as_text
from isthmus.report.tables._view import View
from isthmus.report.wording import plural
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "exclusions"
TITLE = "Exclusions"


def view(result: Result) -> View | None:
    """One row an excluded row of the case table; None where nobody left."""
    cases = result.cases
    out = cases[cases["status"] != "included"]
    if not len(out):
        return None
    frame = pd.DataFrame({"Patient": out["patient"].astype(str)})
    for column, name in (("centre", "Centre"), ("split", "Set"), ("step", "Step"), ("reason", "Reason")):
        if column in out:
            frame[name] = as_text(out[column])
    return View(frame.reset_index(drop=True), f"{plural(len(frame), 'row')} of the case table.")
