"""Which classes the final model takes for one another: confusion matrices with the shares of each true class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import final_model, split_name, unseen_splits
from isthmus.report.figures._canvas import INK, panel
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "confusion"
TITLE = "Confusion matrix"
TASKS = ("multiclass", "ordinal")


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`confusion`: split, true, called, n, row_percent of the final model on patients it had not seen."""
    table = result.tables.get("confusion", pd.DataFrame())
    if not len(table):
        return {"confusion": pd.DataFrame()}
    part = table[(table["model"] == final_model(result)) & table["split"].isin(unseen_splits(result))]
    return {"confusion": part.drop(columns="model").astype({"true": str, "called": str})}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    table = data["confusion"]
    k = max(1, table["true"].nunique())
    return 0.35 + (1.15 + 0.78 * k) * max(1, table["split"].nunique()), 1.15 + 0.78 * k


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One matrix per split; darker: a larger share of the true class."""
    table, whole = data["confusion"], size(data)
    names = list(dict.fromkeys(table["true"]))
    side = 0.78 * len(names)
    for i, split in enumerate(dict.fromkeys(table["split"])):
        part = table[table["split"] == split]
        share = part.pivot(index="true", columns="called", values="row_percent").loc[names, names].to_numpy(dtype=float)
        count = part.pivot(index="true", columns="called", values="n").loc[names, names].to_numpy(dtype=float)
        axes = panel(ax, whole, (1.15 + (1.15 + side) * i, 0.75, side, side))
        axes.imshow(np.nan_to_num(share), cmap="Blues", vmin=0, vmax=100, aspect="auto")
        for row in range(len(names)):
            for column in range(len(names)):
                text = f"{count[row, column]:.4g}"
                if np.isfinite(share[row, column]):
                    text += f"\n{share[row, column]:.0f} %"
                dark = share[row, column] > 55
                axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else INK)
        short = [shorten(name, 12) for name in names]
        axes.set_xticks(range(len(names)), short)
        axes.set_yticks(range(len(names)), short)
        axes.tick_params(length=0)
        axes.set(xlabel="called", ylabel="true" if i == 0 else "", title=split_name(split))
        for side_of in axes.spines.values():
            side_of.set_visible(False)
