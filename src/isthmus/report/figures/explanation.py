"""Shapley values of held-out patients: one dot a row, coloured by the feature's value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import EVENT, GREY, MANY, NON_EVENT, TWO, panel
from isthmus.report.tables.explanation import explained_model
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "explanation"
TITLE = "What the predictions rest on"

TOP = 12
_ROW = 0.22
_BINS = 60


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`explanation`: feature, shap, share (rank of the feature's value among all, 0 to 1), scale; largest features first."""
    model = explained_model(result)
    table = result.tables.get(f"shap_{model}", pd.DataFrame())
    order = result.tables.get(f"explanation_{model}", pd.DataFrame())
    if model is None or not len(table) or not len(order):
        return {"explanation": pd.DataFrame()}
    lines = result.tables["explanation"]
    scale = str(lines.loc[lines["model"].astype(str) == model, "scale"].iloc[0])
    top = [str(name) for name in order["feature"].head(TOP)]
    part = table[table["feature"].isin(top)]
    part = part.assign(
        share=part.groupby("feature")["value"].rank(pct=True),
        place=part["feature"].map({n: i for i, n in enumerate(top)}),
    )
    part = part.sort_values(["place", "shap"], kind="stable", ignore_index=True)
    return {"explanation": part[["feature", "shap", "share"]].assign(scale=scale)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.75 + _ROW * max(1, data["explanation"]["feature"].nunique() if len(data["explanation"]) else 1)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """To the right of the line a feature raised a patient's risk, to the left it lowered it."""
    from matplotlib.colors import LinearSegmentedColormap

    table, whole = data["explanation"], size(data)
    names = list(dict.fromkeys(table["feature"]))
    axes = panel(ax, whole, (2.5, 0.42, 3.9, _ROW * len(names)))
    shades = LinearSegmentedColormap.from_list("low to high", [NON_EVENT, GREY, EVENT])
    reach = float(np.abs(table["shap"]).max()) or 1.0
    for place, name in enumerate(names):
        part = table[table["feature"] == name]
        lifted = len(names) - 1 - place + _spread(part["shap"].to_numpy(), reach)
        axes.scatter(
            part["shap"], lifted, c=part["share"], cmap=shades, vmin=0, vmax=1, s=6, lw=0, rasterized=len(table) > MANY
        )
    axes.axvline(0, color=GREY, lw=0.7)
    scale = table["scale"].iloc[0]
    axes.set(
        xlim=(-1.05 * reach, 1.05 * reach),
        ylim=(-0.6, len(names) - 0.4),
        xlabel=f"Shapley value (change of the {scale})",
    )
    axes.set_yticks(range(len(names)), [shorten(str(name), 40) for name in names[::-1]])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    for label, share in (("low value", 0.0), ("high value", 1.0)):
        axes.plot([], [], "o", ms=3.2, color=shades(share), label=label)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.3)


def _spread(values: Any, reach: float) -> Any:
    """Heights that keep dots of about the same value apart: alternately above and below the line."""
    bins = np.round(values / reach * _BINS).astype(int)
    heights = np.zeros(len(values))
    for one in np.unique(bins):
        inside = np.flatnonzero(bins == one)
        step = np.arange(len(inside))
        heights[inside] = np.where(step % 2 == 0, 1, -1) * ((step + 1) // 2)
    most = np.abs(heights).max(initial=1.0)
    return 0.38 * heights / max(most, 4.0)
