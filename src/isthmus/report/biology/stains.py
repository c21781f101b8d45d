"""Shares of the levels of every marker in two groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import INK, SMALL, TWO, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "stains"
TITLE = "Levels of the markers by group"

_ROW, _LEFT = 0.42, 1.6


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`levels`: marker, group, level, n, share; `markers`: marker, p, fdr."""
    counts = tables.get("counts", pd.DataFrame())
    if not len(counts):
        return {"levels": pd.DataFrame(), "markers": pd.DataFrame()}
    rows = []
    for column in counts.columns[2:]:
        total = counts.groupby("marker", sort=False)[column].transform("sum")
        part = counts[["marker", "level"]].assign(
            group=column.removeprefix("n_"), n=counts[column], share=counts[column] / total
        )
        rows.append(part[["marker", "group", "level", "n", "share"]])
    return {"levels": pd.concat(rows, ignore_index=True), "markers": tables["markers"][["marker", "p", "fdr"]]}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.75 + _ROW * len(data["markers"])


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return "Shares of the patients of each group, whose numbers stand in the bars. Right: false discovery rate of the exact rank-sum test."


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Two stacked bars a marker."""
    import matplotlib as mpl
    from matplotlib.patches import Patch

    levels, markers = data["levels"], data["markers"]
    names, groups = list(dict.fromkeys(levels["level"])), list(dict.fromkeys(levels["group"]))
    tints = [mpl.colormaps["Blues"](x) for x in np.linspace(0.08, 0.92, len(names))]
    tall = _ROW * len(markers)
    axes = panel(ax, size(data), (_LEFT, 0.5, TWO - _LEFT - 0.7, tall))
    ticks, labels = [], []
    for row, marker in enumerate(markers["marker"]):
        for side, group in enumerate(groups):
            y = row + (side - (len(groups) - 1) / 2) * 0.36
            ticks.append(y)
            labels.append(f"{shorten(str(marker), 14)}, {shorten(group, 10)}" if side == 0 else shorten(group, 10))
            part = levels[(levels["marker"] == marker) & (levels["group"] == group)].set_index("level")
            left = 0.0
            for place, level in enumerate(names):
                share = float(part.loc[level, "share"])
                axes.barh(y, share, left=left, height=0.32, color=tints[place], lw=0.4, edgecolor="white")
                if share > 0.05:
                    colour = "white" if place / max(len(names) - 1, 1) > 0.55 else INK
                    axes.text(
                        left + share / 2,
                        y,
                        str(int(part.loc[level, "n"])),
                        ha="center",
                        va="center",
                        fontsize=SMALL,
                        color=colour,
                    )
                left += share
        axes.annotate(
            f"{markers['fdr'].iloc[row]:.2g}", (1, row), (4, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            va="center", fontsize=SMALL,
        )  # fmt: skip
    axes.set_yticks(ticks, labels)
    axes.set(xlim=(0, 1), ylim=(len(markers) - 0.5, -0.5), xlabel="share of patients")
    axes.tick_params(axis="y", length=0)
    axes.annotate("FDR", (1, 1), (4, 2), xycoords="axes fraction", textcoords="offset points", fontsize=SMALL)
    axes.legend(
        handles=[Patch(facecolor=tint, label=shorten(name, 22)) for tint, name in zip(tints, names, strict=True)],
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(len(names), 4), borderaxespad=0.2, borderpad=0,
    )  # fmt: skip
