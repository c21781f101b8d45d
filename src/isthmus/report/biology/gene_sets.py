"""Gene sets that gather at one end of the ranking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from isthmus.report.biology.volcano import LOWER
from isthmus.report.figures._canvas import EVENT, GREY, TWO, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "gene_sets"
TITLE = "Gene sets along the ranking"

_MOST, _ROW, _LEFT = 24, 0.16, 3.0


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`gene_sets`: set, size, nes, p, fdr of the sets with the smallest p."""
    table = tables.get("gsea", pd.DataFrame())
    if not len(table):
        return {NAME: pd.DataFrame(columns=["set", "size", "nes", "p", "fdr"])}
    table = table.dropna(subset=["nes"]).sort_values("p", kind="stable").head(_MOST)
    return {NAME: table.sort_values("nes", kind="stable")[["set", "size", "nes", "p", "fdr"]].reset_index(drop=True)}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.75 + _ROW * len(data[NAME])


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return (
        "The sets with the smallest p: normalised enrichment score (1: as far as sets of shuffled genes on average), "
        "and false discovery rate."
    )


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Bars of the scores."""
    table, whole = data[NAME], size(data)
    tall = _ROW * len(table)
    axes = panel(ax, whole, (_LEFT, 0.45, TWO - _LEFT - 0.75, tall))
    axes.barh(
        range(len(table)), table["nes"], height=0.66, color=[EVENT if x > 0 else LOWER for x in table["nes"]], lw=0
    )
    axes.set_yticks(
        range(len(table)), [shorten(f"{name} ({n})", 46) for name, n in zip(table["set"], table["size"], strict=True)]
    )
    axes.set(ylim=(-0.6, len(table) - 0.4), xlabel="normalised enrichment score")
    axes.axvline(0, color=GREY, lw=0.7)
    axes.tick_params(axis="y", length=0)
    for row, q in enumerate(table["fdr"]):
        axes.annotate(
            f"{q:.2g}",
            (1, row),
            (4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
        )
    axes.annotate("FDR", (1, 1), (4, 2), xycoords="axes fraction", textcoords="offset points", fontsize=6.5)
