"""ROC curves of the five most important features of each model, each alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.figures._canvas import GREY, Grid, colours, legend_below, panel
from isthmus.report.recipes.atc_pdtc._names import named
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "atc-pdtc_important"
TITLE = "ROC curves of the five most important features"


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves` (model, feature, kind, fpr, tpr) and `legend` (model, rank, feature, auc, auc_as_published)."""
    important = result.tables.get("atc-pdtc_important", pd.DataFrame())
    if not len(important):
        return {"curves": pd.DataFrame(), "legend": pd.DataFrame()}
    columns = ["model", "rank", "feature", "auc", "auc_as_published"]
    return {
        "curves": result.tables["atc-pdtc_important_curves"],
        "legend": important.loc[important["rank"] <= 5, columns].reset_index(drop=True),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["legend"]["model"].nunique(), 2.7, 5)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a model; lines as the study drew them, on the patients they were chosen on."""
    grid = _grid(data)
    curves = data["curves"][data["curves"]["kind"] == "as published"]
    for i, (model, names) in enumerate(data["legend"].groupby("model", sort=False)):
        axes = panel(ax, grid.size, grid.box(i))
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.7, ls=(0, (4, 3)))
        style = colours(names["feature"])
        for row in names.to_dict("records"):
            curve = curves[(curves["model"] == model) & (curves["feature"] == row["feature"])]
            both = f"{number(row['auc_as_published'])} (in folds {number(row['auc'])})"
            axes.plot(
                curve["fpr"],
                curve["tpr"],
                color=style[row["feature"]][0],
                lw=1.2,
                label=f"{named(row['feature'])} {both}",
            )
        axes.set(
            xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="1 − specificity",
            ylabel="Sensitivity for ATC/PDTC" if grid.first(i) else "", title=f"{'ABCDEFGH'[i % 8]}  {named(str(model))}",
        )  # fmt: skip
        axes.set_aspect("equal")
        axes.grid()
        legend_below(axes)
