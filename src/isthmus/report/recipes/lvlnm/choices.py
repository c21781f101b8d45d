"""AUC of the models among which one is chosen: out of fold, in the internal set, outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import split_name
from isthmus.report.figures._canvas import GREY, SMALL, TWO, panel
from isthmus.report.recipes.crit._pens import STYLE
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "lvlnm_choices"
TITLE = "The best of several"

_ROW, _HEAD, _FOOT, _LEFT, _RIGHT = 0.2, 0.28, 0.42, 1.3, 1.55


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`choices`: the table of that name."""
    return {"choices": result.tables.get("lvlnm_choices", pd.DataFrame())}


def _groups(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name), part) for name, part in table.groupby("group", sort=False)] if len(table) else []


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    table = data["choices"]
    return TWO, max(0.5, _ROW * len(table) + (_HEAD + _FOOT) * len(_groups(table)))


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a group, a line a model; a ring around the best of either set."""
    from matplotlib.lines import Line2D

    table, whole = data["choices"], size(data)
    areas = table[["cv", "internal", "external"]].to_numpy(dtype=float)
    low, high = float(np.nanmin(areas)), float(np.nanmax(areas))
    top = whole[1]
    for group, part in _groups(table):
        height = _ROW * len(part)
        axes = panel(ax, whole, (_LEFT, top - _HEAD - height, TWO - _LEFT - _RIGHT, height))
        top -= _HEAD + height + _FOOT
        rows = part.to_dict("records")[::-1]
        for y, row in enumerate(rows):
            axes.plot([low - 0.02, high + 0.02], [y, y], color=GREY, lw=0.3, zorder=0)
            for split in ("external", "internal", "cv"):
                shape, colour = STYLE[split]
                axes.plot(row[split], y, shape, ms=4.2, color=colour, mec="white", mew=0.4)
            for split in ("cv", "internal"):
                if row[f"best_{split}"]:
                    axes.plot(row[split], y, "o", ms=8.5, mfc="none", mec=STYLE[split][1], mew=1.0)
        axes.set_yticks(range(len(rows)), [row["model"] for row in rows], fontsize=SMALL)
        axes.set(ylim=(-0.6, len(rows) - 0.4), xlim=(low - 0.03, high + 0.03), xlabel="AUC")
        axes.set_title(group.capitalize(), loc="left", fontsize=7.5, weight="bold")
        axes.tick_params(axis="y", length=0)
    handles = [
        Line2D([], [], marker=STYLE[split][0], color=STYLE[split][1], ls="", ms=4.2, label=split_name(split))
        for split in ("cv", "internal", "external")
    ]
    handles.append(Line2D([], [], marker="o", mfc="none", mec=GREY, ls="", ms=8.5, label="best there"))
    ax.legend(handles=handles, loc="upper right", frameon=False, fontsize=SMALL, borderaxespad=0)
