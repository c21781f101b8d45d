"""Forest plot of the clinical odds ratios, in the order of the table: sorting by effect would draw the eye to noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, panel
from isthmus.report.tables import logistic
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "odds_ratios"
TITLE = "Odds ratios of the clinical variables"

_ROW = 0.19
_WIDEST = (0.02, 50.0)
_COLUMNS = [
    "row",
    "variable",
    "label",
    "alone",
    "alone_lower",
    "alone_upper",
    "together",
    "together_lower",
    "together_upper",
    "text",
]


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`odds_ratios`: a row a level, with the odds ratio and limits alone and together; reference levels have none."""
    found = logistic.tables(result)
    if found is None:
        return {"odds_ratios": pd.DataFrame(columns=_COLUMNS)}
    alone, together = found
    beside = {(row["variable"], row["level"]): row for row in together.to_dict("records")}
    rows: list[list[Any]] = []
    for row in alone.to_dict("records"):
        other = beside.get((row["variable"], row["level"]), {})
        label = f"{row['variable']}: {row['level']}" if row["level"] else f"{row['variable']}, {row['step']}"
        values = [row["odds_ratio"], row["lower"], row["upper"]]
        values += [other.get(name, np.nan) for name in ("odds_ratio", "lower", "upper")]
        shown = other if other and not pd.isna(other.get("odds_ratio")) else row
        rows.append([len(rows), row["variable"], label, *values, logistic.odds_text(shown)])
    return {"odds_ratios": pd.DataFrame(rows, columns=_COLUMNS)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.8 + _ROW * len(data["odds_ratios"])


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A line a row: filled, together with the others; hollow, alone."""
    table, whole = data["odds_ratios"], size(data)
    tall = _ROW * len(table)
    axes = panel(ax, whole, (2.35, 0.5, 2.75, tall))
    height = len(table) - 1 - np.arange(len(table))
    axes.axvline(1, color=GREY, lw=0.7)
    for name, colour, shift, face in (("alone", GREY, 0.16, "white"), ("together", INK, -0.16, INK)):
        there = table[name].notna() & table[f"{name}_lower"].notna()
        at = height[there.to_numpy()] + shift
        part = table[there]
        low = part[f"{name}_lower"].clip(*_WIDEST)
        high = part[f"{name}_upper"].clip(*_WIDEST)
        axes.hlines(at, low, high, color=colour, lw=0.9)
        axes.plot(
            part[name].clip(*_WIDEST), at, "o", ms=3.4, mec=colour, mfc=face, mew=0.9, ls="none",
            label={"alone": "alone", "together": "together with the others"}[name],
        )  # fmt: skip
    reference = (table["alone"] == 1) & table["alone_lower"].isna()
    axes.plot(np.ones(int(reference.sum())), height[reference.to_numpy()], "s", ms=3.2, mec=GREY, mfc="white", mew=0.9)
    ends = table[["alone_lower", "alone_upper", "together_lower", "together_upper"]].to_numpy(dtype=float)
    ends = ends[np.isfinite(ends)]
    lowest = max(min(0.5, float(ends.min(initial=1.0)) / 1.15), _WIDEST[0])
    highest = min(max(2.0, float(ends.max(initial=1.0)) * 1.15), _WIDEST[1])
    axes.set_xscale("log")
    ticks = [t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if lowest <= t <= highest]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set(xlim=(lowest, highest), ylim=(-0.6, len(table) - 0.4), xlabel="odds ratio (log scale)")
    axes.set_yticks(height, [shorten(str(label), 44) for label in table["label"]])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    for y, text in zip(height, table["text"], strict=True):
        axes.annotate(text, (1.03, y), xycoords=("axes fraction", "data"), va="center", fontsize=SMALL)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.2, handlelength=1.2)
