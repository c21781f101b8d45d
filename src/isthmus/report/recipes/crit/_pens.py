"""How development and external patients look in every figure of the study."""

from __future__ import annotations

from typing import Any

import numpy as np

from isthmus.report.facts import split_name
from isthmus.report.figures._canvas import INK

__all__ = ["OFFSET", "STYLE", "mark"]

STYLE = {"cv": ("o", "#0072B2"), "internal": ("D", "#009E73"), "external": ("s", "#D55E00")}
"""Split -> marker and colour."""
OFFSET = {"cv": 0.17, "internal": 0.0, "external": -0.17}


def mark(axes: Any, split: str, x: float, y: float, lower: float, upper: float, *, upright: bool = False) -> None:
    """A point and its interval, sideways or upright; nothing where there is no number."""
    shape, colour = STYLE.get(split, ("^", INK))
    if not np.isfinite(x) or not np.isfinite(y):
        return
    if np.isfinite(lower) and np.isfinite(upper):
        across = ([x, x], [lower, upper]) if upright else ([lower, upper], [y, y])
        axes.plot(*across, color=colour, lw=0.9)
    label = split_name(split)
    known = axes.get_legend_handles_labels()[1]
    axes.plot(
        x, y, shape, ms=3.6, color=colour, mec="white", mew=0.4, ls="", label=label if label not in known else "_"
    )
