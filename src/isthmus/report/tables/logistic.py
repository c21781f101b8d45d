"""Univariable and multivariable odds ratios of the clinical variables, side by side."""

from __future__ import annotations

import math

import pandas as pd

from isthmus.report.facts import as_text, confidence
from isthmus.report.tables._view import View
from isthmus.report.wording import number, p_value
from isthmus.study.result import Result
from isthmus.table.regression import logistic_footnote

__all__ = ["NAME", "TITLE", "odds_text", "tables", "view"]

NAME = "logistic"
TITLE = "Odds ratios of the clinical variables"

_INDENT = "\u2003"
_TEXTS = ("variable", "level", "step", "method", "selection", "note")


def tables(result: Result) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The two tables of the run with empty texts empty; None where it has none."""
    first = result.tables.get("logistic_univariable", pd.DataFrame())
    if not len(first):
        return None
    second = result.tables.get("logistic_multivariable", first.iloc[:0])
    return tuple(t.assign(**{name: as_text(t[name]) for name in _TEXTS}) for t in (first, second))  # type: ignore[return-value]


def view(result: Result) -> View | None:
    """A row a level: patients and events, odds ratio alone and together with the others, and their tests."""
    found = tables(result)
    if found is None:
        return None
    alone, together = found
    beside = {(row["variable"], row["level"]): row for row in together.to_dict("records")}
    rows: list[list[str]] = []
    previous = None
    for row in alone.to_dict("records"):
        other = beside.get((row["variable"], row["level"]), {})
        first = row["variable"] != previous
        head = [p_value(row["p_variable"]), p_value(row["q"])]
        tail = [p_value(other.get("p_variable")) if other else "", number(other.get("vif")) if other else ""]
        if row["level"] and first:
            rows.append([row["variable"], "", "", *head, "", *tail])
        counts = f"{row['n']} ({row['events']})"
        name = _INDENT + row["level"] if row["level"] else f"{row['variable']}, {row['step']}"
        shown = ["", ""] if row["level"] else head
        ending = ["", ""] if row["level"] else tail
        rows.append([name, counts, odds_text(row), *shown, odds_text(other), *ending])
        previous = row["variable"]
    names = [
        "Variable",
        "Patients (events)",
        "Alone: odds ratio",
        "p",
        "q",
        "Together: odds ratio",
        "p, together",
        "VIF",
    ]
    frame = pd.DataFrame(rows, columns=names).replace("–", "")
    return View(frame, logistic_footnote(alone, together, confidence(result)), None, tuple(names[1:]))


def odds_text(row: dict) -> str:  # type: ignore[type-arg]
    """`1.52 (1.10 to 2.11)`, the reference as such, nothing where nothing was estimated."""
    if not row or _gone(row["odds_ratio"]):
        return ""
    if row["step"] == "reference":
        return "1 (reference)"
    return f"{_ratio(row['odds_ratio'])} ({_ratio(row['lower'])} to {_ratio(row['upper'])})"


def _gone(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _ratio(value: float) -> str:
    if _gone(value):
        return "–"
    if math.isinf(value):
        return "∞"
    if value >= 1000:
        return f"{value:.1e}"
    return (
        f"{value:.0f}"
        if value >= 100
        else f"{value:.1f}"
        if value >= 10
        else f"{value:.2f}"
        if value >= 0.1
        else f"{value:.3f}"
    )
