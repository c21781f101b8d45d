"""Every patient of the final model in a row, by how far the risk lies from the threshold, coloured by the outcome."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import decisions, final_model, split_name, unseen_splits
from isthmus.report.figures._canvas import EVENT, GREY, NON_EVENT, Grid, concatenated, legend_below, panel
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "risk_waterfall"
TITLE = "Waterfall of risks"
TASKS = ("binary",)

_COLUMNS = ["split", "patient", "outcome", "margin"]


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`waterfall`: split, patient, outcome, margin (risk minus the threshold carried to the patient), the largest first.

    In cross-validation the threshold is that of the patient's fold, and the margin the mean over repeats.
    """
    parts = []
    for split in unseen_splits(result):
        rows = decisions(result, final_model(result), split)
        rows = rows.assign(margin=rows["probability"] - rows["threshold"], split=split)
        each = rows.groupby("patient", sort=True).agg({"outcome": "first", "margin": "mean", "split": "first"})
        each = each.reset_index().sort_values(["margin", "patient"], ascending=[False, True], kind="stable")
        parts.append(each[_COLUMNS])
    return {"waterfall": concatenated(parts, _COLUMNS)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["waterfall"]["split"].nunique(), 1.7, 2, left=0.55, below=0.34)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Up: called positive; down: called negative."""
    table, grid = data["waterfall"], _grid(data)
    reach = 1.08 * float(table["margin"].abs().max())
    for i, split in enumerate(dict.fromkeys(table["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        part = table[table["split"] == split]
        margin, event = part["margin"].to_numpy(dtype=float), part["outcome"].to_numpy(dtype=int) == 1
        edges = np.arange(len(part) + 1)
        for which, colour, words in ((event, EVENT, "with the outcome"), (~event, NON_EVENT, "without")):
            right = int((which & ((margin >= 0) == (colour == EVENT))).sum())
            label = f"{words}: {int(which.sum())}, of these {right} on the right side"
            axes.stairs(np.where(which, margin, 0.0), edges, fill=True, color=colour, lw=0, label=label)
        axes.axhline(0, color=GREY, lw=0.7)
        axes.set(
            xlim=(-0.01 * len(part), 1.01 * len(part)), ylim=(-reach, reach), xticks=[], title=split_name(str(split)),
            xlabel=f"{len(part)} patients, by risk", ylabel="Risk − threshold" if grid.first(i) else "",
        )  # fmt: skip
        axes.grid(axis="y")
        axes.spines["bottom"].set_visible(False)
        legend_below(axes, 0.3)
