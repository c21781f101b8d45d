"""How far groups lie apart in every feature, on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from isthmus.report.figures._canvas import EVENT, GREY, INK, SMALL, TWO, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "effects"
TITLE = "Effects with their intervals"

_MOST, _ROW, _LEFT = 30, 0.165, 2.6


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`effects`: feature, cliffs_delta, delta_low, delta_high, p, fdr; prespecified first, then by p."""
    table = tables.get("groups", tables.get("markers", pd.DataFrame()))
    if not len(table):
        return {NAME: pd.DataFrame()}
    table = table.rename(columns={"marker": "feature"})
    first = table["family"].eq("prespecified") if "family" in table else pd.Series(False, index=table.index)
    table = table.assign(prespecified=first).sort_values(["prespecified", "p"], ascending=[False, True], kind="stable")
    keep = ["feature", "prespecified", "cliffs_delta", "delta_low", "delta_high", "p", "fdr"]
    return {NAME: table[keep].head(_MOST).reset_index(drop=True)}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.75 + _ROW * len(data[NAME])


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    named = " Bold: asked beforehand." if data[NAME]["prespecified"].any() else ""
    words = "Cliff's delta (−1: always lower, 0: alike, 1: always higher) with its 95 % interval; filled: false discovery rate below 0.05."
    return words + named


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """A point and a line a feature."""
    table = data[NAME]
    axes = panel(ax, size(data), (_LEFT, 0.45, TWO - _LEFT - 0.75, _ROW * len(table)))
    for row, one in enumerate(table.to_dict("records")):
        found = one["fdr"] < 0.05
        colour = EVENT if found else INK
        axes.plot([one["delta_low"], one["delta_high"]], [row, row], color=colour, lw=1)
        axes.plot(one["cliffs_delta"], row, "o", ms=4, mfc=colour if found else "white", mec=colour, mew=0.8)
        axes.annotate(
            f"{one['fdr']:.2g}",
            (1, row),
            (4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
        )
    axes.set_yticks(range(len(table)), [shorten(str(name), 40) for name in table["feature"]])
    for label, bold in zip(axes.get_yticklabels(), table["prespecified"], strict=True):
        label.set_weight("bold" if bold else "normal")
    axes.set(xlim=(-1.02, 1.02), ylim=(len(table) - 0.5, -0.5), xlabel="Cliff's delta")
    axes.axvline(0, color=GREY, lw=0.7)
    axes.tick_params(axis="y", length=0)
    axes.annotate("FDR", (1, 1), (4, 2), xycoords="axes fraction", textcoords="offset points", fontsize=SMALL)
