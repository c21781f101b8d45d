"""How the prediction of the final model changes with a feature: partial dependence, and local effects where features go together."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.explain.shap_values import SCALES
from isthmus.report.facts import task
from isthmus.report.figures._canvas import EVENT, INK, Grid, panel
from isthmus.report.tables.explanation import explained_model
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "curves"
TITLE = "The prediction over the values of a feature"

MOST = 6


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves`: feature, kind (`partial dependence`, `local effects`), x, estimate, lower, upper, scale; the largest features first.

    Local effects are given around 0; here the mean of the partial dependence is added, so that both are on the scale of the prediction.
    """
    table = result.tables.get(f"curves_{explained_model(result)}", pd.DataFrame())
    if not len(table):
        return {"curves": pd.DataFrame(columns=["feature", "kind", "x", "estimate", "lower", "upper", "scale"])}
    shown = table[table["feature"].isin(list(dict.fromkeys(table["feature"]))[:MOST])]
    whole = shown[shown["kind"] == "partial dependence"].groupby("feature")["estimate"].mean()
    moved = shown["estimate"].where(
        shown["kind"] == "partial dependence", shown["estimate"] + shown["feature"].map(whole)
    )
    return {"curves": shown.assign(estimate=moved, scale=SCALES[task(result)]).reset_index(drop=True)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["curves"]["feature"].nunique(), 1.3, 0, above=0.22, below=0.4)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per feature on one scale of risk."""
    table, grid = data["curves"], _grid(data)
    ends = table[["estimate", "lower", "upper"]]
    scale = str(table["scale"].iloc[0])
    low, high = float(ends.min().min()), float(ends.max().max())
    low, high = (max(0.0, low - 0.03), min(1.0, high + 0.03)) if scale == "risk" else (low, high)
    low, high = (low, high) if high > low else (low - 1.0, high + 1.0)
    for i, feature in enumerate(dict.fromkeys(table["feature"])):
        axes = panel(ax, grid.size, grid.box(i))
        own = table[table["feature"] == feature]
        mean, local = (own[own["kind"] == kind] for kind in ("partial dependence", "local effects"))
        axes.fill_between(mean["x"], mean["lower"], mean["upper"], color=INK, alpha=0.12, lw=0)
        axes.plot(mean["x"], mean["estimate"], color=INK, label="partial dependence")
        axes.plot(local["x"], local["estimate"], color=EVENT, ls=(0, (5, 1.2)), label="local effects")
        axes.set(ylim=(low, high), xlabel=shorten(str(feature), 44), ylabel=scale.capitalize() if grid.first(i) else "")
        axes.grid()
        if i == 0:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.2)
