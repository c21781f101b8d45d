"""The study's screening score without its external part, and as published."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.figures._canvas import GREY, TWO, legend_below, panel
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "crit_score"
TITLE = "Screening score of the combinations"

_ROW = 0.22


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`score`: model, score, score_readme and, with an external centre, as_published."""
    table = result.tables.get("crit_score", pd.DataFrame())
    columns = [name for name in ("model", "score", "score_readme", "as_published") if name in table]
    return {"score": table[columns] if len(table) else pd.DataFrame()}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 1.0 + _ROW * max(1, len(data["score"]))


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Bars: development patients only; marks: with the description's weights, and as published."""
    table, whole = data["score"].iloc[::-1], size(data)
    axes = panel(ax, whole, (2.3, 0.75, 4.2, _ROW * len(table)))
    places = range(len(table))
    axes.barh(
        places, table["score"], height=0.62, color="#56B4E9", label="out-of-fold predictions only, weights of the code"
    )
    axes.plot(
        table["score_readme"], places, "D", ms=3.4, color="#0072B2", ls="", label="the same, weights of the description"
    )
    if "as_published" in table:
        label = "as published, optimistic: 40 % from the external centre"
        axes.plot(table["as_published"], places, "x", ms=4.2, mew=1.1, color=GREY, ls="", label=label)
    axes.set(xlim=(0, 102), ylim=(-0.6, len(table) - 0.4), xlabel="Score, 0 to 100 among these models")
    axes.set_yticks(places, [shorten(str(name), 40) for name in table["model"]])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    legend_below(axes)
