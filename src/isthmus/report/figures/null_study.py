"""What the same study finds where there is nothing to find: the outcome shuffled, everything repeated."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from isthmus.report.facts import estimate, measure, measure_name, null_study
from isthmus.report.figures._canvas import GREY, SMALL, TWO, colours, panel
from isthmus.report.wording import p_value, shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "null_study"
TITLE = "Null study"

_ROW = 0.32


class Row(NamedTuple):
    """One row of the numbers."""

    model: str
    auc: float
    lower: float
    upper: float
    null_mean: float
    null_lower: float
    null_upper: float
    p: float
    permutations: int
    measure: str


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`null_study`: model, auc, lower, upper (of the study), null_mean, null_lower, null_upper, p, permutations."""
    table = null_study(result)
    if not len(table):
        return {"null_study": pd.DataFrame()}
    areas = [estimate(result, str(model), "cv", measure(result)) for model in table["model"]]
    table = table.assign(
        lower=[area.lower if area else np.nan for area in areas],
        upper=[area.upper if area else np.nan for area in areas],
    )
    columns = ["model", "auc", "lower", "upper", "null_mean", "null_lower", "null_upper", "p", "permutations"]
    return {"null_study": table[columns].assign(measure=measure_name(result))}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.8 + _ROW * max(1, len(data["null_study"]))


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Grey: the range from shuffled outcomes; diamond: the study."""
    table, whole = data["null_study"], size(data)
    style = colours(table["model"])
    axes = panel(ax, whole, (1.6, 0.42, 4.2, _ROW * len(table)))
    for i, row in enumerate(Row(*values) for values in table.itertuples(index=False, name=None)):
        y = len(table) - 1 - i
        first = i == 0
        axes.plot(
            [row.null_lower, row.null_upper],
            [y, y],
            color="#c3cad1",
            lw=7,
            solid_capstyle="butt",
            label="shuffled outcomes: 95 % range, mean" if first else None,
        )
        axes.plot([row.null_mean] * 2, [y - 0.24, y + 0.24], color="#5b6670", lw=1.2)
        if np.isfinite(row.lower):
            axes.plot([row.lower, row.upper], [y, y], color=style[row.model][0], lw=1.2)
        axes.plot(
            row.auc,
            y,
            "D",
            ms=5,
            color=style[row.model][0],
            mec="white",
            label="this study, with interval" if first else None,
        )
        axes.text(
            1.02,
            y,
            f"p = {p_value(row.p)}".replace("= <", "< "),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=SMALL,
        )
    axes.axvline(0.5, color=GREY, lw=0.7, ls=(0, (4, 3)))
    low = min(0.3, float(table["null_lower"].min()) - 0.03, float(table["lower"].fillna(1.0).min()) - 0.03)
    axes.set(xlim=(low, 1.0), ylim=(-0.6, len(table) - 0.4), xlabel=f"{table['measure'].iloc[0]} in cross-validation")
    axes.set_yticks(range(len(table)), [shorten(str(m), 22) for m in table["model"]][::-1])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.3)
