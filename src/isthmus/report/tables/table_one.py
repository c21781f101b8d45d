"""Who the patients were: Table 1 as the run made it, by outcome, by centre, and by outcome within centres and splits."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from isthmus.report.facts import as_text, outcome_name
from isthmus.report.tables._view import View
from isthmus.report.wording import number, p_value
from isthmus.study.result import Result
from isthmus.table.table_one import table_one_footnote

__all__ = ["NAME", "TITLE", "view", "views"]

NAME = "table1"
TITLE = "The patients (Table 1)"

_OTHERS = {
    "table1_centre": "By centre",
    "table1_outcome_by_centre": "By outcome within each centre",
    "table1_outcome_by_split": "By outcome within each split",
}
_COHORT = "cohort: "
_COHORTS = {"train": "Training", "internal": "Internal test", "external": "External"}
_FACTS = ("variable", "level", "summary", "unit")
_MEASURES = {"p": "p", "smd": "SMD"}
_INDENT = "\u2003"
_SPACE = "\u00a0"


def view(result: Result) -> View | None:
    """One row a variable, levels below it, with p and standardised difference; None where the run has no Table 1."""
    return _view(result, NAME)


def views(result: Result) -> list[tuple[str, View]]:
    """The other tables of the patients, each with its heading."""
    found = [(title, _view(result, name)) for name, title in _OTHERS.items()]
    return [(title, made) for title, made in found if made is not None]


def _view(result: Result, name: str) -> View | None:
    table = result.tables.get(name, pd.DataFrame())
    if not len(table):
        return None
    columns = [c for c in table.columns if c not in _FACTS and not c.startswith(("test", "statistic"))]
    rows: list[list[str]] = []
    previous = None
    for row in table.to_dict("records"):
        level = _text(row["level"])
        if level and row["variable"] != previous:
            rows.append([_name(row), *("" if _is_group(column) else _cell(row, column) for column in columns)])
        if level:
            rows.append([_INDENT + level, *(_cell(row, column) if _is_group(column) else "" for column in columns)])
        else:
            rows.append([_name(row), *(_cell(row, column) for column in columns)])
        previous = row["variable"]
    by_outcome = name == NAME
    headings = [_heading(column, result, by_outcome) for column in columns]
    return View(pd.DataFrame(rows, columns=["Variable", *headings]), _caption(table), None, tuple(headings))


def _measure(column: str) -> str:
    """What of a comparison a column holds ("p", "p_holm", "smd"); empty for a column that describes patients."""
    first, _, _ = column.partition(":")
    return first if first.split("_")[0] in _MEASURES else ""


def _is_group(column: str) -> bool:
    """Does the column describe patients (and not the comparison of groups)?"""
    return column != "missing" and not _measure(column)


def _name(row: dict[Hashable, Any]) -> str:
    summary, unit = _text(row.get("summary")), _text(row.get("unit"))
    name = str(row["variable"]) + (f" ({unit})" if unit else "")
    return f"{name}, {summary}" if summary and summary != name else name


def _heading(column: str, result: Result, by_outcome: bool) -> str:
    known = {"overall": "Overall", "missing": "Missing", "p_cohort": "p, cohorts", "smd_cohort": "SMD, cohorts"}
    if column in known:
        return known[column]
    measure = _measure(column)
    if measure:
        what, _, adjusted = measure.partition("_")
        named = _MEASURES[what] + (f" ({adjusted})" if adjusted else "")
        _, _, where = column.partition(": ")
        return f"{named}, {where}" if where else named
    if column.startswith(_COHORT):
        cohort = column.removeprefix(_COHORT)
        return _COHORTS.get(cohort, cohort)
    return f"{outcome_name(result)} = {column}" if by_outcome and "=" not in column else column


def _cell(row: dict[Hashable, Any], column: str) -> str:
    value = row[column]
    if pd.isna(value):
        return ""
    measure = _measure(column)
    if measure:
        return number(value) if measure.startswith("smd") else p_value(value)
    # a range stays on one line, below its median where the column is narrow
    return f"{value:g}" if isinstance(value, float) else str(value).replace(", ", f",{_SPACE}")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _caption(table: pd.DataFrame) -> str:
    """The footnote that belongs to the table, made from what ran."""
    texts = [name for name in table.columns if name in (*_FACTS, "test", "test_cohort") or name.startswith("test: ")]
    return table_one_footnote(table.assign(**{name: as_text(table[name]) for name in texts}), whole=False)
