"""Dice and HD95 of every case, by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, colours, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "mask_overlap"
TITLE = "Overlap and distance, case by case"

_PANELS = {"dice": "Dice", "surface_dice": "surface Dice", "hd95_mm": "HD95 (mm)"}
_ROW = 0.34


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`mask_overlap`: case, group, and Dice, surface Dice, HD95."""
    cases = tables["cases"]
    return {NAME: cases[["case", "group", *_PANELS]] if len(cases) > 1 else pd.DataFrame()}


def _groups(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name), part) for name, part in frame.groupby("group", sort=False)]


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.95 + _ROW * len(_groups(data[NAME]))


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return (
        "A point is a case; box: quartiles and median, whiskers to 1.5 times their range, diamond: mean. The dashed line is a "
        "Dice of 0.9, from which on a mask counts as acceptable. Cases where a mask is empty have no distance."
    )


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Three panels; rows are groups."""
    frame, whole = data[NAME], size(data)
    groups = _groups(frame)
    tints = colours([name for name, _ in groups])
    wide = (whole[0] - 1.25 - 2 * 0.25) / 3
    for place, (metric, words) in enumerate(_PANELS.items()):
        axes = panel(ax, whole, (1.15 + place * (wide + 0.25), 0.45, wide, whole[1] - 0.6))
        for row, (name, part) in enumerate(groups):
            values = part[metric].dropna().to_numpy(np.float64)
            at = len(groups) - 1 - row
            if not values.size:
                continue
            axes.boxplot(
                values, positions=[at], orientation="horizontal", widths=0.5, showfliers=False, showmeans=True, manage_ticks=False,
                medianprops={"color": INK, "lw": 1.2}, boxprops={"color": INK, "lw": 0.6}, whiskerprops={"color": INK, "lw": 0.6},
                capprops={"color": INK, "lw": 0.6}, meanprops={"marker": "D", "ms": 3, "mfc": "white", "mec": INK, "mew": 0.7},
            )  # fmt: skip
            spread = 0.16 * np.sin(2.4 * np.arange(values.size))
            axes.plot(values, at + spread, "o", ms=2.4, mew=0, alpha=0.6, color=tints[name][0])
        if metric == "dice":
            axes.axvline(0.9, color=GREY, lw=0.7, ls=(0, (4, 3)))
        axes.set(ylim=(-0.6, len(groups) - 0.4), xlabel=words)
        if metric != "hd95_mm":
            axes.set_xlim(min(0.0, axes.get_xlim()[0]) if frame[metric].min() < 0.4 else axes.get_xlim()[0], 1.02)
        else:
            axes.set_xlim(left=0)
        names = [f"{shorten(name, 18) or 'all cases'} ({len(part)})" for name, part in groups]
        axes.set_yticks(range(len(groups))[::-1], names if place == 0 else [""] * len(groups), fontsize=SMALL)
        axes.tick_params(axis="y", length=0)
