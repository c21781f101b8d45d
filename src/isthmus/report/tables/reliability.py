"""Which features come out again when a lesion is measured again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "counts_view", "lesions_view", "view"]

NAME = "reliability"
TITLE = "Reliability"

_SHOWN = 40
_COSINES = ("mean", "least", "centred_mean", "centred_least")
_THRESHOLDS = ("0.75", "0.80", "0.90")


def counts_view(result: Result) -> View | None:
    """How many features each usual threshold would keep, by lower limit and by estimate."""
    table = result.tables.get("reliability")
    if table is None or not len(table):
        return None
    rows = []
    for (models, form, rule), part in table.groupby(["models", "form", "rule"], sort=False):
        for what, label in (("lower", "lower limit"), ("icc", "estimate")):
            kept = [f"{int(part[f'{what}_{t}'].map(_true).sum())} of {len(part)}" for t in _THRESHOLDS]
            rows.append([str(models), f"ICC({form}), {label}", *kept, str(rule)])
    names = ["Models", "By", *(f"≥ {t}" for t in _THRESHOLDS), "The plan's rule"]
    return View(pd.DataFrame(rows, columns=names), "Features each threshold keeps.")


def view(result: Result) -> View | None:
    """The judged features, least reliable first; the csv holds all."""
    table = result.tables.get("reliability")
    if table is None or not len(table):
        return None
    rows = [
        [
            str(row["feature"]),
            _interval(row),
            "–" if pd.isna(row.get("class")) else str(row["class"]),
            "–" if pd.isna(row["cosine"]) else f"{float(row['cosine']):.2f}",
            "–" if pd.isna(row["cases"]) else f"{float(row['cases']):.0f}",
            "yes" if _true(row["kept"]) else "no",
        ]
        for row in table.head(_SHOWN).to_dict("records")
    ]
    more = len(table) - len(rows)
    caption = (
        "Of the final fit, least reliable first; class: that of the lower limit (Koo and Li 2016). "
        "Only repeats of development patients and of patients outside the study were used. "
        "The cosine similarity is of centred measurements, beside the ICC and never instead of it."
        + (f" {more} more in tables/reliability.csv." if more > 0 else "")
    )
    return View(pd.DataFrame(rows, columns=["Feature", "ICC (interval)", "Class", "Cosine", "Cases", "Kept"]), caption)


def lesions_view(result: Result) -> View | None:
    """How alike a lesion's features of a frozen network are when it is measured again, least alike first."""
    table = result.tables.get("lesion_reliability")
    if table is None or not len(table):
        return None
    rows = [
        [
            *(str(row[key]) for key in ("lesion", "block", "repeats")),
            *(f"{float(row[key]):.3f}" for key in _COSINES),
            "yes" if _true(row["low"]) else "",
        ]
        for row in table.head(_SHOWN).to_dict("records")
    ]
    caption = (
        "Cosine similarity of a lesion's features as drawn with those measured again; centred: less their mean over lesions, where what "
        "all lesions share no longer counts. Low: below the plan's lesion_cosine; nothing was left out for it. All patients with "
        "repeats; it decided nothing."
    )
    names = ["Lesion", "Block", "Repeats", "Mean", "Least", "Centred, mean", "Centred, least", "Low"]
    return View(pd.DataFrame(rows, columns=names), caption)


def _interval(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["icc"]):
        return "undefined (never varies)"
    return f"{float(str(row['icc'])):.3f} ({float(str(row['lower'])):.3f} to {float(str(row['upper'])):.3f})"


def _true(value: object) -> bool:
    return str(value) == "True"
