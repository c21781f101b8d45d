"""What was noted while the data were read: encodings, missing values, patients a block lacks."""

from __future__ import annotations

import pandas as pd

from isthmus.report.facts import as_text
from isthmus.report.tables._view import View
from isthmus.report.wording import plural
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "notes"
TITLE = "Notes from reading the data"

MOST = 40
"""Notes shown; the others are in tables/notes.csv."""


def view(result: Result) -> View | None:
    """One row a note; None where there was nothing to note."""
    table = result.tables.get("notes", pd.DataFrame())
    if not len(table):
        return None
    names = {"patient": "Patient", "block": "Where", "note": "Note"}
    shown = {word: as_text(table[column]) for column, word in names.items() if column in table}
    frame = pd.DataFrame({word: values for word, values in shown.items() if any(values)})
    rest = f", the first {MOST} are shown; all are in tables/notes.csv" if len(frame) > MOST else ""
    return View(frame.head(MOST), f"{plural(len(frame), 'note')}{rest}.")
