"""Whether differences depend on how abundant a protein is (MA plot)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.biology import volcano
from isthmus.report.figures._canvas import GREY, INK, TWO, panel

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "mean_difference"
TITLE = "Differences and abundance"

_WINDOWS = 20


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`mean_difference`: as `volcano`."""
    return {NAME: volcano.data(tables)[volcano.NAME]}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 2.7


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return "Line: the median of the differences along the abundance; where it leaves 0 over a range of levels, normalisation failed there."


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Fold change against the mean, with a running median."""
    table = data[NAME]
    axes = panel(ax, size(data), (0.55, 0.5, TWO - 1.5, 2.0))
    x, y = table["mean_log2"].to_numpy(dtype=float), table["log2_fold_change"].to_numpy(dtype=float)
    volcano.scatter_found(axes, x, y, table["found"].to_numpy())
    axes.axhline(0, color=GREY, lw=0.5)
    order = np.argsort(x, kind="stable")
    parts = [part for part in np.array_split(order, max(1, min(_WINDOWS, len(order) // 10))) if len(part)]
    axes.plot([np.median(x[part]) for part in parts], [np.median(y[part]) for part in parts], color=INK, lw=1.2)
    axes.set(xlabel="mean log2 abundance", ylabel="log2 fold change")
