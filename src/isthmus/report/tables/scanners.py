"""What the scanners say, per centre: evidence for or against a shift between centres."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import as_text
from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "scanners"
TITLE = "Scanners"

_FACTS = ("row", "patient", "centre", "split", "image", "path", "source", "lesion", "view", "timepoint")
MAX_VALUES = 4


def view(result: Result) -> View | None:
    """One row per image and scanner fact, one column per centre; None where no scanner said anything."""
    table = result.acquisition
    facts = [column for column in table.columns if column not in _FACTS]
    if not facts or table[facts].isna().all(axis=None):
        return None
    table = table.assign(centre=_centres(result, table), image=table.get("image", "image"))
    centres = sorted(dict.fromkeys(table["centre"]))
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for image, part in table.groupby("image", sort=True):
        groups[len(rows)] = f"Image {image}"
        for fact in facts:
            if part[fact].notna().any():
                rows.append([fact.replace("_", " "), *(_summary(part.loc[part["centre"] == c, fact]) for c in centres)])
    caption = (
        "How many images per value; for numbers with many values median [range]. Differences between centres "
        "are shifts."
    )
    return View(pd.DataFrame(rows, columns=["", *(centre or "no centre" for centre in centres)]), caption, groups)


def _centres(result: Result, table: pd.DataFrame) -> list[str]:
    if "centre" in table:
        return as_text(table["centre"])
    if "centre" not in result.cases:
        return [""] * len(table)
    known = dict(zip(result.cases["patient"], as_text(result.cases["centre"]), strict=True))
    return [known.get(patient, "") for patient in table["patient"]]


def _summary(values: pd.Series[Any]) -> str:
    missing = int(values.isna().sum())
    present = values.dropna()
    tail = [f"not stated ({missing})"] if missing else []
    if not len(present):
        return tail[0] if tail else "–"
    if pd.api.types.is_numeric_dtype(present) and present.nunique() > MAX_VALUES:
        return "; ".join([f"{present.median():g} [{present.min():g} to {present.max():g}]", *tail])
    counts = present.astype(str).value_counts()
    shown = [f"{str(value).removesuffix('.0')} ({n})" for value, n in counts.head(MAX_VALUES).items()]
    more = [f"{len(counts) - MAX_VALUES} more ({int(counts[MAX_VALUES:].sum())})"] if len(counts) > MAX_VALUES else []
    return "; ".join([*shown, *more, *tail])
