"""What is missing: the share of each column, and which columns lack a value in the same patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import patients
from isthmus.report.figures._canvas import EVENT, GREY, TWO, panel
from isthmus.report.wording import shorten
from isthmus.study.blocks import qualified
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "missingness"
TITLE = "Missing values"

TOP, PATTERNS = 20, 12
_ROW, _LEFT, _BARS, _GAP = 0.15, 2.35, 1.5, 0.45


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`columns`: block, column, patients, missing, share; `patterns`: pattern, patients and one column of 0 and 1 (missing) for
    each of the first columns. Columns that miss nothing are in neither."""
    everyone = patients(result)
    included = pd.Index(sorted(everyone.loc[everyone["status"] == "included", "patient"]))
    columns: list[pd.DataFrame] = []
    absent: list[pd.DataFrame] = []
    for block, facts in result.blocks.items():
        table = result.values(block)
        if not len(table):
            continue
        names = [name for name in facts["column"] if name in table]
        # a patient with several images misses what none of them gives
        gone = table[names].isna().groupby(table["patient"]).all().reindex(included).dropna(how="all").astype(bool)
        counts = gone.sum()
        some = [name for name in names if counts[name]]
        shown = [qualified(block, name, several=len(result.blocks) > 1) for name in some]
        columns.append(
            pd.DataFrame(
                {"block": block, "column": shown, "patients": len(gone), "missing": counts[some].to_numpy(dtype=int)}
            )
        )
        absent.append(gone[some].set_axis(shown, axis=1).reindex(included, fill_value=False))
    if not sum(len(part) for part in columns):
        return {"columns": pd.DataFrame(), "patterns": pd.DataFrame()}
    found = pd.concat(columns, ignore_index=True)
    found = found.assign(share=found["missing"] / found["patients"])
    found = found.sort_values("missing", ascending=False, kind="stable", ignore_index=True)
    grid = pd.concat(absent, axis=1)[list(found["column"].head(TOP))].astype(int)
    grid = grid[grid.any(axis=1)]
    patterns = grid.value_counts(sort=False).rename("patients").reset_index()
    patterns = patterns.sort_values(["patients", *grid.columns], ascending=False, kind="stable", ignore_index=True)
    patterns.insert(0, "pattern", np.arange(1, len(patterns) + 1))
    return {"columns": found, "patterns": patterns}


def _shown(data: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return data["columns"].head(TOP), data["patterns"].head(PATTERNS)


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.78 + _ROW * max(1, len(data["columns"].head(TOP)))


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Bars: patients without a value; beside them, a column a pattern: the patients who lack just these values."""
    whole = size(data)
    table, patterns = _shown(data)
    tall = _ROW * len(table)
    bottom = whole[1] - 0.3 - tall
    rows = np.arange(len(table))[::-1]
    bars = panel(ax, whole, (_LEFT, bottom, _BARS, tall))
    bars.barh(rows, 100 * table["share"], height=0.7, color=GREY, lw=0)
    for row, count in zip(rows, table["missing"], strict=True):
        share = 100 * float(table["share"].iloc[len(table) - 1 - row])
        bars.annotate(str(count), (share, row), (2, 0), textcoords="offset points", va="center", fontsize=6.5)
    bars.set_yticks(rows, [shorten(str(name), 42) for name in table["column"]])
    top = 100 * float(table["share"].max())
    bars.set(xlim=(0, 1.18 * top), ylim=(-0.6, len(table) - 0.4), xlabel="patients without a value (%)")
    bars.set_title("Columns")
    bars.tick_params(axis="y", length=0)
    bars.locator_params(axis="x", nbins=4)
    if not len(patterns):
        return
    left = _LEFT + _BARS + _GAP
    grid = panel(ax, whole, (left, bottom, (whole[0] - left - 0.1) * len(patterns) / PATTERNS, tall))
    names = list(table["column"])
    gone = patterns[names].to_numpy(dtype=bool).T
    at, across = np.nonzero(np.ones_like(gone))
    grid.scatter(across, rows[at], s=14, color=np.where(gone[at, across], EVENT, "#e4e7eb").tolist(), lw=0)
    grid.set_xticks(range(len(patterns)), [str(count) for count in patterns["patients"]])
    grid.set(xlim=(-0.6, len(patterns) - 0.4), ylim=(-0.6, len(table) - 0.4), yticks=[], xlabel="patients")
    more = len(data["patterns"]) - len(patterns)
    grid.set_title(f"Together{f' ({more} more)' if more else ''}")
    for side in ("left", "bottom"):
        grid.spines[side].set_visible(False)
    grid.tick_params(length=0)
