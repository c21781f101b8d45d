"""Samples in the space of their proteins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from isthmus.report.figures._canvas import TWO, colours, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "components"
TITLE = "Samples by their principal components"

_MARKERS = "os^Dv<>P"
_WIDE = 2.6


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`components`: sample, group, component, score, share."""
    return {NAME: tables["components"]}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 3.3


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return (
        "All proteins that every sample has, standardised, without what batch and covariates explain. A sample far "
        "from all others deserves a look."
    )


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Components 1 and 2, and 3 and 4 where there are as many."""
    table = data[NAME]
    score = table.pivot(index="sample", columns="component", values="score")
    group = table.drop_duplicates("sample").set_index("sample")["group"].astype(str)
    share = table.drop_duplicates("component").set_index("component")["share"]
    names = sorted(group.unique())
    tints = colours(names)
    pairs = [pair for pair in ((1, 2), (3, 4)) if pair[1] in score.columns]
    for place, (first, second) in enumerate(pairs):
        axes = panel(ax, size(data), (0.55 + place * (_WIDE + 0.65), 0.65, _WIDE, 2.4))
        for number, name in enumerate(names):
            mine = score.loc[group.index[group == name]]
            axes.scatter(
                mine[first], mine[second], s=16, color=tints[name][0], marker=_MARKERS[number % len(_MARKERS)], lw=0, alpha=0.85,
                label=shorten(name, 24),
            )  # fmt: skip
        axes.set(
            xlabel=f"component {first} ({100 * share[first]:.0f} %)",
            ylabel=f"component {second} ({100 * share[second]:.0f} %)",
        )
        if place == 0:
            axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18), ncols=min(len(names), 5), borderaxespad=0)
