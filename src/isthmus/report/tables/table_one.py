"""Who the patients were: Table 1, as the run made it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from isthmus.report.facts import outcome_name
from isthmus.report.tables._view import View
from isthmus.report.wording import number, p_value
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "table1"
TITLE = "The patients (Table 1)"

_COHORT = "cohort: "
_COHORTS = {"train": "Training", "internal": "Internal test", "external": "External"}
_FACTS = ("variable", "level", "summary")
_TESTS = {"test": "between outcomes", "test_cohort": "between cohorts"}
_INDENT = "\u2003"
_SPACE = "\u00a0"


def view(result: Result) -> View | None:
    """One row a variable, levels below it, with p and standardised difference; None where the run has no Table 1."""
    table = result.tables.get("table1", pd.DataFrame())
    if not len(table):
        return None
    columns = [
        column for column in table.columns if column not in _FACTS and not column.startswith(("test", "statistic"))
    ]
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
    headings = [_heading(column, result) for column in columns]
    return View(pd.DataFrame(rows, columns=["Variable", *headings]), _caption(table), None, tuple(headings))


def _is_group(column: str) -> bool:
    """Does the column describe patients (and not the comparison of groups)?"""
    return column not in ("missing", "p", "smd", "p_cohort", "smd_cohort")


def _name(row: dict[Hashable, Any]) -> str:
    summary = _text(row.get("summary"))
    name = str(row["variable"])
    return f"{name}, {summary}" if summary and summary != name else name


def _heading(column: str, result: Result) -> str:
    known = {"overall": "Overall", "missing": "Missing", "p": "p", "smd": "SMD"}
    known |= {"p_cohort": "p, cohorts", "smd_cohort": "SMD, cohorts"}
    if column in known:
        return known[column]
    if column.startswith(_COHORT):
        cohort = column.removeprefix(_COHORT)
        return _COHORTS.get(cohort, cohort)
    return column if "=" in column else f"{outcome_name(result)} = {column}"


def _cell(row: dict[Hashable, Any], column: str) -> str:
    value = row[column]
    if pd.isna(value):
        return ""
    if column.startswith("p"):
        return p_value(value)
    if column.startswith("smd"):
        return number(value)
    # a range stays on one line, below its median where the column is narrow
    return f"{value:g}" if isinstance(value, float) else str(value).replace(", ", f",{_SPACE}")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _caption(table: pd.DataFrame) -> str:
    """Which test was used for which variables."""
    parts = []
    for column, words in _TESTS.items():
        if column not in table:
            continue
        used = table.loc[table[column].notna() & (table[column] != ""), ["variable", column]].drop_duplicates()
        named = [
            f"{test} ({', '.join(part['variable'].astype(str))})" for test, part in used.groupby(column, sort=True)
        ]
        if named:
            parts.append(f"Tests {words}: {'; '.join(named)}.")
    parts.append("p: two-sided, not corrected for the number of variables. SMD: standardised mean difference.")
    return " ".join(parts)
