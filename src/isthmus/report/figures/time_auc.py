"""How well each model ranks patients for events by each time: the time-dependent AUC, weighted for censoring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import final_model, horizon, split_name, time_name, unseen_splits
from isthmus.report.figures._canvas import GREY, Grid, colours, concatenated, legend_below, panel
from isthmus.report.figures.kaplan_meier import first_repeat
from isthmus.report.wording import capitalised, shorten
from isthmus.stats.survival.at_time import auc_at
from isthmus.stats.survival.censoring import censoring_free
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "time_auc"
TITLE = "AUC over time"
TASKS = ("survival",)

_POINTS = 25
_FEWEST = 5
"""Patients with the event by a time, and patients still free of it, below which nothing is drawn."""


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves` (model, split, time, auc) and `points`: the estimates of metrics.csv with their intervals."""
    curves, points = [], []
    for split in unseen_splits(result):
        for model in result.models():
            rows = first_repeat(result, model, split)
            if not len(rows):
                continue
            time, event, risk = (rows[c].to_numpy(dtype=float) for c in ("time", "outcome", "risk"))
            happened = np.sort(time[event == 1])
            free = np.sort(time)
            if len(happened) <= _FEWEST or len(free) <= _FEWEST:
                continue
            first, last = float(happened[_FEWEST - 1]), float(free[-_FEWEST - 1])
            if last <= first:
                continue
            at = np.linspace(first, last, _POINTS)
            censoring = censoring_free(time, event)
            areas = [auc_at(time, event, risk, float(t), censoring=censoring) for t in at]
            curves.append(pd.DataFrame({"time": at, "auc": areas, "model": model, "split": split}))
        metrics = result.metrics[(result.metrics["split"] == split) & result.metrics["metric"].str.startswith("auc:")]
        points.append(
            metrics.assign(time=metrics["metric"].str.removeprefix("auc:").astype(float), auc=metrics["estimate"])[
                ["model", "split", "time", "auc", "lower", "upper"]
            ]
        )
    return {
        "curves": concatenated(curves, ["time", "auc", "model", "split"]),
        "points": concatenated(points, ["model", "split", "time", "auc", "lower", "upper"]).assign(
            final=lambda t: t["model"] == final_model(result), horizon=horizon(result), unit=time_name(result)
        ),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["curves"]["split"].nunique(), 2.3, 1 + data["curves"]["model"].nunique())


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A line a model; the points with intervals are the final model's at the times of the plan."""
    grid = _grid(data)
    style = colours(dict.fromkeys(data["points"]["model"]))
    for i, split in enumerate(dict.fromkeys(data["curves"]["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        axes.axhline(0.5, color=GREY, lw=0.7, ls=(0, (4, 3)), label="chance 0.50")
        curves, points = (table[table["split"] == split] for table in (data["curves"], data["points"]))
        for model in dict.fromkeys(curves["model"]):
            colour, dash = style[model]
            own = curves[curves["model"] == model]
            axes.plot(own["time"], own["auc"], color=colour, ls=dash, label=shorten(str(model), 30))
        final = points[points["final"].astype(bool)].dropna(subset=["auc"])
        if len(final):
            errors = [
                (final["auc"] - final["lower"]).fillna(0).clip(0),
                (final["upper"] - final["auc"]).fillna(0).clip(0),
            ]
            colour = style[final["model"].iloc[0]][0]
            axes.errorbar(
                final["time"], final["auc"], yerr=errors, fmt="o", ms=3.5, color=colour, mfc="white", zorder=4
            )
        low = float(np.nanmin([0.4, *curves["auc"], *final["lower"].fillna(0.4)]))
        axes.set(
            ylim=(low - 0.03, 1.01),
            title=split_name(split),
            xlabel=capitalised(data["points"]["unit"].iloc[0]),
            ylabel="AUC for events by then" if grid.first(i) else "",
        )
        axes.grid()
        legend_below(axes)
