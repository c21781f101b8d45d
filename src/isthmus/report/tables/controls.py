"""What remains of the AUC (or the C-index) in another world: negative controls, simulated shift, sensitivity to settings."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from isthmus.report.facts import measure_name
from isthmus.report.tables._view import View
from isthmus.report.wording import capitalised, number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "controls"
TITLE = "Controls, shift and sensitivity"
_KINDS = {
    "control": "Negative controls",
    "shift": "Images of another scanner (test patients only)",
    "sensitivity": "Other settings",
}


def view(result: Result) -> View | None:
    """One row a variant, under the heading of its kind; None where the run has none."""
    table = result.tables.get(NAME, pd.DataFrame())
    if not len(table):
        return None
    several = table["model"].nunique() > 1
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for kind, heading in _KINDS.items():
        part = table[table["kind"] == kind]
        if len(part):
            groups[len(rows)] = heading
        rows += [_row(row, several=several) for row in part.to_dict("records")]
    name = capitalised(measure_name(result))
    columns = ["Variant", *(["Model"] if several else []), name, "This study", "Difference", "Other class", "Note"]
    caption = (
        "The same model and folds (those of the first repeat) in another world. Volume alone: what the size of the lesion tells "
        "without its texture. Shuffled voxels: the values inside the lesion change places, so the histogram and the outline stay "
        "and the texture goes; a model that needs its texture falls there. Images of another scanner: the model is trained as "
        "before and sees changed images of its test patients; other class: the share of them whose class changes. Intervals: "
        "corrected resampled t over the folds."
    )
    return View(pd.DataFrame(rows, columns=columns), caption, groups, (name, "This study", "Difference", "Other class"))


def _row(row: dict[Hashable, Any], *, several: bool) -> list[str]:
    note = "" if pd.isna(row["note"]) else str(row["note"])
    start = [str(row["variant"]), *([str(row["model"])] if several else [])]
    if pd.isna(row["auc"]):
        return [*start, "", "", "", "", note]
    return [
        *start,
        f"{number(row['auc'])} ({number(row['lower'])} to {number(row['upper'])})",
        number(row["auc_study"]),
        f"{_signed(row['difference'])} ({_signed(row['difference_lower'])} to {_signed(row['difference_upper'])})",
        "" if pd.isna(row["flips"]) else f"{100 * float(row['flips']):.0f} %",
        note,
    ]


def _signed(value: float) -> str:
    return ("+" if float(value) > 0 else "") + number(value)
