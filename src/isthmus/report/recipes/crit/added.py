"""What each combination of blocks adds to the clinical model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, SMALL, TWO, legend_below, panel
from isthmus.report.recipes.crit._pens import OFFSET, mark
from isthmus.report.wording import p_value, shorten
from isthmus.study.recipes.crit.published import BASELINE
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "crit_added"
TITLE = "Added value of the blocks"

_ROW = 0.2
_TEST = "AUC difference, bootstrap"


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`added`: model, split, difference, lower, upper, p_holm of the AUC against the clinical model."""
    table = result.tables.get("crit_added_value", pd.DataFrame())
    if not len(table):
        return {"added": pd.DataFrame()}
    columns = ["model", "split", "difference", "lower", "upper", "p_holm"]
    return {"added": table.loc[table["test"] == _TEST, columns].reset_index(drop=True)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.95 + _ROW * max(1, data["added"]["model"].nunique() if len(data["added"]) else 1)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Differences with their intervals; right of them p, corrected by Holm."""
    table, whole = data["added"], size(data)
    names = list(dict.fromkeys(table["model"]))
    axes = panel(ax, whole, (2.3, 0.65, 2.9, _ROW * len(names)))
    axes.axvline(0.0, color=GREY, lw=0.7, ls=(0, (4, 3)))
    for name in names:
        y = len(names) - 1 - names.index(name)
        said = []
        for row in table[table["model"] == name].to_dict("records"):
            mark(axes, row["split"], row["difference"], y + OFFSET.get(row["split"], 0.0), row["lower"], row["upper"])
            said.append(p_value(row["p_holm"]))
        axes.text(1.03, y, "   ".join(said), transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL)
    reach = table[["difference", "lower", "upper"]].abs().to_numpy()
    most = float(np.nanmax(reach)) if np.isfinite(reach).any() else 0.1
    axes.set(xlim=(-1.05 * most, 1.05 * most), ylim=(-0.6, len(names) - 0.4), xlabel=f"AUC minus that of {BASELINE}")
    axes.set_yticks(range(len(names)), [shorten(name, 40) for name in reversed(names)])
    axes.text(1.03, 1.0, "p (Holm)", transform=axes.transAxes, va="bottom", fontsize=SMALL, color=GREY)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    legend_below(axes, ncols=3)
