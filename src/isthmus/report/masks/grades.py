"""How much was changed: the shares of grades, by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import INK, SMALL, TWO, legend_below, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "mask_grades"
TITLE = "Grades of change"

_COLOURS = {"none": "#009E73", "minor": "#56B4E9", "moderate": "#E69F00", "major": "#D55E00"}
_HATCHES = {"none": "", "minor": "///", "moderate": "...", "major": "xx"}
_ROW = 0.34


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`mask_grades`: group, grade, n, of, share with limits."""
    return {NAME: tables.get("modification", pd.DataFrame())}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 1.15 + _ROW * data[NAME]["group"].nunique()


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return (
        "None: identical; minor: Dice above 0.9; moderate: above 0.7; major: 0.7 or less. Right: how many masks were changed at "
        "all, with the interval over patients."
    )


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Left: stacked shares; right: the share of changed masks."""
    frame, whole = data[NAME], size(data)
    groups = list(dict.fromkeys(frame["group"]))
    rows = np.arange(len(groups))[::-1]
    share = frame.pivot(index="group", columns="grade", values="share").loc[groups]
    counts = frame.pivot(index="group", columns="grade", values="n").loc[groups]
    tall = whole[1] - 0.85
    axes = panel(ax, whole, (1.15, 0.75, 3.1, tall))
    start = np.zeros(len(groups))
    for grade, colour in _COLOURS.items():
        width = 100 * share[grade].to_numpy(np.float64)
        axes.barh(
            rows, width, left=start, color=colour, hatch=_HATCHES[grade], edgecolor="white", lw=0.6, height=0.62, label=grade
        )  # fmt: skip
        for row, at, wide, n in zip(rows, start, width, counts[grade], strict=True):
            if wide >= 8:
                axes.annotate(
                    str(int(n)), (at + wide / 2, row), ha="center", va="center", fontsize=SMALL, color=INK,
                    bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"},
                )  # fmt: skip
        start += width
    of = frame.drop_duplicates("group").set_index("group")["of"]
    axes.set_yticks(rows, [f"{shorten(str(name), 18)} ({of[name]})" for name in groups])
    axes.set(xlim=(0, 100), ylim=(-0.6, len(groups) - 0.4), xlabel="masks (%)")
    axes.tick_params(axis="y", length=0)
    legend_below(axes, ncols=4)
    right = panel(ax, whole, (4.6, 0.75, whole[0] - 4.75, tall))
    changed = frame[frame["grade"] == "modified"].set_index("group").loc[groups]
    limits = changed[["share_lower", "share_upper"]].to_numpy(np.float64)
    right.hlines(rows, 100 * limits[:, 0], 100 * limits[:, 1], color=INK, lw=1)
    right.plot(100 * changed["share"], rows, "o", ms=4, color=INK)
    right.set_yticks(rows, [""] * len(groups))
    right.set(xlim=(-3, 103), ylim=(-0.6, len(groups) - 0.4), xlabel="changed masks (%)")
    right.tick_params(axis="y", length=0)
