"""What the difference of the masks leaves of the features: the ICC of each, by family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, NON_EVENT, TWO, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "mask_features"
TITLE = "Features measured in both masks"

_LINES = (0.75, 0.90)
_ROW = 0.2


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`mask_features`: feature, family, n, raters, icc with limits, class, shift."""
    return {NAME: tables.get("features", pd.DataFrame())}


def _families(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    parts = [(str(name), part) for name, part in frame.dropna(subset=["icc"]).groupby("family", sort=False)]
    return sorted(parts, key=lambda part: -float(part[1]["icc"].median()))


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.7 + _ROW * max(1, len(_families(data[NAME])))


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    frame = data[NAME]
    low = frame["lower"]
    counted = f"{int((low >= 0.75).sum())} of {len(frame)} features have a lower limit of 0.75 or more"
    return (
        f"ICC(2,1) over {int(frame['raters'].iloc[0])} masks of {int(frame['n'].iloc[0])} cases; a point is a feature, the line its "
        f"family's median. {counted}."
    )


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """A row a family."""
    families, whole = _families(data[NAME]), size(data)
    axes = panel(ax, whole, (1.7, 0.42, whole[0] - 1.85, whole[1] - 0.5))
    for row, (_, part) in enumerate(families):
        at = len(families) - 1 - row
        values = np.sort(part["icc"].to_numpy(np.float64))
        axes.plot(values, at + 0.22 * np.sin(2.4 * np.arange(values.size)), "o", ms=2.6, mew=0, color=NON_EVENT)
        axes.plot([np.median(values)] * 2, [at - 0.35, at + 0.35], color="#0072B2", lw=1.4)
    for line in _LINES:
        axes.axvline(line, color=GREY, lw=0.7, ls=(0, (4, 3)))
    axes.set_yticks(range(len(families))[::-1], [f"{shorten(name, 24)} ({len(part)})" for name, part in families])
    axes.set(
        xlim=(min(0.0, float(data[NAME]["icc"].min())) - 0.03, 1.03),
        ylim=(-0.6, len(families) - 0.4),
        xlabel="ICC(2,1)",
    )
    axes.tick_params(axis="y", length=0)
