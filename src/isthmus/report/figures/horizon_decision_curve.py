"""Does acting on the probability of the event by the horizon do more good than harm? (Kaplan-Meier weighted)"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import final_model, horizon, split_name, unseen_splits
from isthmus.report.figures._canvas import GREY, INK, Grid, colours, concatenated, legend_below, panel
from isthmus.report.figures.decision_curve import threshold_range
from isthmus.report.figures.kaplan_meier import first_repeat
from isthmus.report.wording import shorten
from isthmus.stats.survival.decision_curve import net_benefit_at
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "horizon_decision_curve"
TITLE = "Decision curve at the horizon"
TASKS = ("survival",)


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves`: model, split, threshold, model's net benefit, treat_all, treat_none, interventions_avoided, final."""
    curves = []
    lowest, highest = threshold_range(result)
    at = np.linspace(lowest, highest, 56)
    for split in unseen_splits(result):
        for model in result.models():
            rows = first_repeat(result, model, split)
            if not len(rows):
                continue
            table = net_benefit_at(rows["time"], rows["outcome"], rows["probability"], at, horizon(result))
            table = table.rename(columns={"model": "net_benefit"})
            curves.append(table.assign(model=model, split=split, final=model == final_model(result)))
    return {"curves": concatenated(curves, ["threshold", "net_benefit", "treat_all", "model", "split", "final"])}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["curves"]["split"].nunique(), 2.3, 2 + data["curves"]["model"].nunique())


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per split."""
    table, grid = data["curves"], _grid(data)
    style = colours(dict.fromkeys(table["model"]))
    for i, split in enumerate(dict.fromkeys(table["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        part = table[table["split"] == split]
        first = part[part["model"] == part["model"].iloc[0]]
        axes.axhline(0, color=INK, lw=0.7, label="treat nobody")
        axes.plot(first["threshold"], first["treat_all"], color=GREY, lw=0.8, ls=(0, (4, 3)), label="treat everybody")
        for model in dict.fromkeys(part["model"]):
            own = part[part["model"] == model]
            colour, dash = style[model]
            width = 1.6 if bool(own["final"].iloc[0]) else 1.0
            axes.plot(
                own["threshold"], own["net_benefit"], color=colour, ls=dash, lw=width, label=shorten(str(model), 30)
            )
        top = float(np.nanmax([*part["net_benefit"], *part["treat_all"], 0.05]))
        axes.set(
            ylim=(-0.15 * top, 1.1 * top), title=split_name(split), xlabel="Threshold probability",
            ylabel="Net benefit" if grid.first(i) else "",
        )  # fmt: skip
        axes.grid()
        legend_below(axes)
