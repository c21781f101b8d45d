"""How far proteins differ, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.biology._labels import label_points
from isthmus.report.figures._canvas import EVENT, GREY, MANY, TWO, panel

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "volcano"
TITLE = "Differences and their certainty"

LOWER = "#0072B2"
_NAMED = 12
_BOX = (0.55, 0.5, TWO - 1.5, 3.0)


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`volcano`: protein, log2_fold_change, p, fdr, mean_log2, found (-1 lower, 0, 1 higher)."""
    table = tables["differential"].dropna(subset=["p"])
    keep = ["protein", "log2_fold_change", "p", "fdr", "mean_log2", "found"]
    return {NAME: table[keep].reset_index(drop=True)}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 3.7


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return "One point a protein. Coloured: found; named: the found proteins with the smallest p. Triangles up: higher, down: lower."


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Fold change against -log10 p."""
    table = data[NAME]
    axes = panel(ax, size(data), _BOX)
    height = -np.log10(np.maximum(table["p"].to_numpy(dtype=float), 1e-300))
    x = table["log2_fold_change"].to_numpy(dtype=float)
    wide = float(np.abs(x).max(initial=0.1)) * 1.08
    axes.set(xlim=(-wide, wide), ylim=(0, float(height.max(initial=1.0)) * 1.08))
    scatter_found(axes, x, height, table["found"].to_numpy())
    axes.axvline(0, color=GREY, lw=0.5)
    axes.set(xlabel="log2 fold change", ylabel="−log10 p")
    best = table[table["found"] != 0].sort_values("p", kind="stable").head(_NAMED).index
    label_points(axes, [(float(x[i]), float(height[i]), str(table["protein"][i])) for i in best], _BOX[2], _BOX[3])
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=3, borderaxespad=0)


def scatter_found(axes: Any, x: Any, y: Any, found: Any) -> None:
    """Points of proteins by what was found of them: told apart by colour and by shape."""
    for value, colour, marker, words in (
        (0, GREY, "o", "not found"), (-1, LOWER, "v", "lower"), (1, EVENT, "^", "higher"),
    ):  # fmt: skip
        mine = found == value
        axes.scatter(
            x[mine], y[mine], s=4 if value == 0 else 11, c=colour, marker=marker, lw=0, alpha=0.55 if value == 0 else 0.95,
            label=f"{words} ({int(mine.sum())})", rasterized=bool(mine.sum() > MANY),
        )  # fmt: skip
