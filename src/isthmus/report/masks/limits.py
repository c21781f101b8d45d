"""Bland-Altman of the volume: in percent of the reference, and as a ratio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, INK, TWO, colours, legend_below, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "mask_volume"
TITLE = "Bias and limits of agreement of the volume"

_MARKERS = "os^Dv<>P"
_PANELS = {"ml": ("volume_difference_ml", "difference (ml)"), "ratio": ("volume_log_ratio", "ratio to the reference")}
_TALL = 2.2


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`points`: case, group, mean volume, differences; `limits`: bias and limits of all cases, or of the first group."""
    cases, limits = tables["cases"], tables["volume"]
    limits = limits[limits["group"] == limits["group"].iloc[-1]] if len(limits) else limits
    columns = ["volume_reference_ml", "volume_ml", "volume_difference_ml", "volume_log_ratio"]
    # limits of readers stand pair by pair: the points of the same pair
    shown = (
        cases[cases["group"] == limits["group"].iloc[0]]
        if len(limits) and limits["group"].iloc[0] in set(cases["group"])
        else cases
    )
    return {"points": shown[["case", "group", *columns]] if len(limits) else pd.DataFrame(), "limits": limits}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, _TALL + 1.0


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    limits = data["limits"].iloc[0]
    return (
        f"{int(limits['n'])} cases ({limits['group']}). Solid: bias; dashed: limits between which 95 % of differences are "
        "expected; grey: their intervals. The ratio's limits come from its logarithm and hold for small and large lesions alike."
    )


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Left: ml; right: the ratio, on a logarithmic axis."""
    points, whole = data["points"], size(data)
    limits = data["limits"].set_index("scale")
    mean = (points["volume_reference_ml"] + points["volume_ml"]) / 2
    groups = list(dict.fromkeys(points["group"]))
    tints = colours(groups)
    wide = (whole[0] - 1.45) / 2
    for place, (scale, (metric, words)) in enumerate(_PANELS.items()):
        if scale not in limits.index:
            continue
        axes = panel(ax, whole, (0.6 + place * (wide + 0.7), 0.75, wide, _TALL))
        row = limits.loc[scale]
        for name, style in (("bias", "-"), ("lower_limit", (0, (4, 3))), ("upper_limit", (0, (4, 3)))):
            if np.isfinite(row[f"{name}_lower"]):
                axes.axhspan(row[f"{name}_lower"], row[f"{name}_upper"], color=GREY, alpha=0.18, lw=0)
            axes.axhline(row[name], color=INK, lw=0.9, ls=style)
        values = np.exp(points[metric]) if scale == "ratio" else points[metric]
        for number, name in enumerate(groups):
            mine = (points["group"] == name).to_numpy()
            axes.scatter(
                mean[mine], values[mine], s=9, lw=0, alpha=0.75, color=tints[name][0], marker=_MARKERS[number % len(_MARKERS)],
                label=shorten(str(name), 24) or "cases",
            )  # fmt: skip
        axes.axhline(1.0 if scale == "ratio" else 0.0, color=GREY, lw=0.5)
        _plain_log(axes.xaxis, axes.set_xscale)
        if scale == "ratio":
            _plain_log(axes.yaxis, axes.set_yscale)
        axes.set(xlabel="mean of both volumes (ml)", ylabel=words)
        if place == 0 and len(groups) > 1:
            legend_below(axes, ncols=min(len(groups), 4))


def _plain_log(axis: Any, set_scale: Any) -> None:
    """A logarithmic axis whose ticks are plain numbers, enough of them however short it is."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    set_scale("log")
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high > 3 * low else tuple(np.arange(1, 10, 0.5))))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())
