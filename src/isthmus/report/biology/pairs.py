"""Image features against features of biology: correlations, clustered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import INK, TWO, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "pairs"
TITLE = "Image features and features of biology"

_ROW, _LEFT, _MOST = 0.115, 1.9, 50


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`pairs`: left, right, spearman, fdr, left_place, right_place; of many columns those with the smallest p on each side."""
    table = tables.get("correlations", pd.DataFrame())
    if not len(table) or "left" not in table:
        return {NAME: pd.DataFrame()}
    for side in ("left", "right"):
        best = table.groupby(side)["p"].min().sort_values(kind="stable").head(_MOST).index
        table = table[table[side].isin(best)]
    return {NAME: table[["left", "right", "spearman", "fdr", "left_place", "right_place"]].reset_index(drop=True)}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    table = data[NAME]
    return TWO, 0.75 + _ROW * table["left"].nunique() + 0.065 * min(int(table["right"].astype(str).str.len().max()), 26)


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return (
        "Spearman's correlation; rows and columns ordered by average linkage. Framed: false discovery rate below 0.05."
    )


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Image features in rows, biology in columns."""
    from matplotlib.patches import Rectangle

    table, whole = data[NAME], size(data)
    rows = list(table.sort_values("left_place")["left"].unique())
    columns = list(table.sort_values("right_place")["right"].unique())
    rho = table.pivot(index="left", columns="right", values="spearman").loc[rows, columns].to_numpy(dtype=float)
    q = table.pivot(index="left", columns="right", values="fdr").loc[rows, columns].to_numpy(dtype=float)
    wide, tall = min(TWO - _LEFT - 0.2, 0.3 * len(columns)), _ROW * len(rows)
    axes = panel(ax, whole, (_LEFT, whole[1] - tall - 0.15, wide, tall))
    across, down = np.arange(len(columns) + 1) - 0.5, np.arange(len(rows) + 1) - 0.5
    shown = axes.pcolormesh(
        across, down, np.ma.masked_invalid(rho), cmap="RdBu_r", vmin=-1, vmax=1, lw=0, rasterized=True
    )
    for row, column in np.argwhere(q < 0.05):
        axes.add_patch(Rectangle((column - 0.45, row - 0.45), 0.9, 0.9, fill=False, edgecolor=INK, lw=0.7))
    axes.set(xlim=(across[0], across[-1]), ylim=(down[-1], down[0]))
    axes.set_yticks(range(len(rows)), [shorten(str(name), 30) for name in rows])
    axes.set_xticks(range(len(columns)), [shorten(str(name), 26) for name in columns], rotation=90)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = panel(ax, whole, (0.15, 0.3, 1.3, 0.08))
    bar.figure.colorbar(shown, cax=bar, orientation="horizontal", ticks=[-1, 0, 1])
    bar.set_xlabel("Spearman", labelpad=1)
    bar.tick_params(length=2, pad=1)
