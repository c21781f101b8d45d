"""Each printed number beside this run's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import split_name
from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, panel
from isthmus.report.wording import metric_name
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "beside"
TITLE = "As printed, and of this run"

_PENS = {"cv": ("o", "#0072B2"), "internal": ("D", "#009E73"), "external": ("s", "#D55E00"),
         "random-splits": ("v", "#CC79A7")}  # fmt: skip
_ROW, _BETWEEN, _LEFT, _RIGHT = 0.2, 0.75, 2.6, 0.35


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`beside`: published_model, model, split, metric, published with limits, estimate with limits."""
    recipe = result.plan.get("report", {}).get("recipe") or {}
    table = result.tables.get(f"{recipe.get('name')}_beside", pd.DataFrame())
    return {"beside": table}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    table = data["beside"]
    metrics = table["metric"].nunique() if len(table) else 1
    return TWO, _ROW * max(1, len(table)) + _BETWEEN * metrics


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a metric, a line a model and split: a grey cross what was printed, a point what this run has."""
    table, whole = data["beside"], size(data)
    if table.empty:
        return
    top = whole[1]
    for metric, part in table.groupby("metric", sort=False):
        height = _ROW * len(part)
        axes = panel(ax, whole, (_LEFT, top - height - 0.15, TWO - _LEFT - _RIGHT, height))
        top -= height + _BETWEEN
        rows = part.to_dict("records")
        for i, row in enumerate(rows):
            y = len(rows) - 1 - i
            shape, colour = _PENS.get(str(row["split"]), ("^", INK))
            _mark(axes, y + 0.14, [row[f"published{end}"] for end in ("", "_lower", "_upper")], "x", GREY)
            _mark(axes, y - 0.14, [row[name] for name in ("estimate", "lower", "upper")], shape, colour)
        labels = [f"{row['model']}, {split_name(str(row['split'])).lower()}" for row in rows]
        axes.set_yticks(range(len(rows)), labels[::-1], fontsize=SMALL)
        numbers = part[["published", "published_lower", "estimate", "lower"]].to_numpy(dtype=float)
        lowest = min(0.5, float(np.nanmin(numbers)))
        axes.set(xlim=(max(0.0, lowest - 0.03), 1.02), ylim=(-0.6, len(rows) - 0.4), xlabel=metric_name(str(metric)))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")


def _mark(axes: Any, y: float, number: list[float], shape: str, colour: str) -> None:
    """A point and its interval; nothing where there is no number."""
    value, lower, upper = number
    if pd.isna(value):
        return
    if not pd.isna(lower):
        axes.plot([lower, upper], [y, y], color=colour, lw=0.9)
    axes.plot(
        value,
        y,
        shape,
        ms=3.8,
        color=colour,
        mew=1.1 if shape == "x" else 0.4,
        **({} if shape == "x" else {"mec": "white"}),
    )
