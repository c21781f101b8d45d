"""Can the probabilities at the horizon be read as percentages? Predicted against Kaplan-Meier, in groups."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import estimate, final_model, horizon, horizon_text, split_name, unseen_splits
from isthmus.report.figures._canvas import GREY, Grid, colours, legend_below, panel
from isthmus.report.wording import interval_text, shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "horizon_calibration"
TITLE = "Calibration at the horizon"
TASKS = ("survival",)


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`groups` (model, split, group, n, predicted, observed, lower, upper) and `legend` with O:E."""
    table = result.tables.get("calibration_at_horizon", pd.DataFrame())
    if not len(table):
        return {"groups": pd.DataFrame(), "legend": pd.DataFrame()}
    groups = table[table["split"].isin(unseen_splits(result))]
    legend = [
        (
            model, split, model == final_model(result), horizon_text(result),
            interval_text(estimate(result, model, split, f"o_e:{horizon(result):g}")),
        )
        for model, split in dict.fromkeys(zip(groups["model"], groups["split"], strict=True))
    ]  # fmt: skip
    return {
        "groups": groups,
        "legend": pd.DataFrame(legend, columns=["model", "split", "final", "horizon", "o_e"]),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["legend"]["split"].nunique(), 2.7, 1 + data["legend"]["model"].nunique())


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per split, points joined by a line for each model; intervals of the final model."""
    grid = _grid(data)
    style = colours(dict.fromkeys(data["legend"]["model"]))
    for i, split in enumerate(dict.fromkeys(data["legend"]["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.7, ls=(0, (4, 3)), label="perfect: observed : expected 1.00")
        at = ""
        for row in data["legend"][data["legend"]["split"] == split].to_dict("records"):
            colour, dash = style[row["model"]]
            at = str(row["horizon"])
            groups = data["groups"]
            own = groups[(groups["model"] == row["model"]) & (groups["split"] == split)].sort_values("predicted")
            label = f"{shorten(str(row['model']), 20)} O:E {row['o_e']}"
            axes.plot(
                own["predicted"], own["observed"], marker="o", color=colour, ls=dash, ms=3.2, mfc="white", label=label
            )
            if row["final"]:
                errors = [
                    (own["observed"] - own["lower"]).clip(lower=0).fillna(0),
                    (own["upper"] - own["observed"]).clip(lower=0).fillna(0),
                ]
                axes.errorbar(own["predicted"], own["observed"], yerr=errors, fmt="none", color=colour, lw=0.7)
        axes.set(
            xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), title=split_name(split),
            xlabel=f"Predicted probability of the event by {at}",
            ylabel="Kaplan-Meier probability" if grid.first(i) else "",
        )  # fmt: skip
        axes.set_aspect("equal")
        axes.grid()
        legend_below(axes)
