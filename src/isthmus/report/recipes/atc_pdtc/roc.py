"""The averaged ROC curve of each model over the folds, with the decisions of both rules and the one the study took."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import estimate
from isthmus.report.figures._canvas import GREY, Grid, colours, concatenated, legend_below, panel
from isthmus.report.recipes.atc_pdtc._names import named
from isthmus.report.wording import interval_text
from isthmus.stats.roc import averaged_roc, roc_curve
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "atc-pdtc_roc"
TITLE = "Averaged ROC curves over the folds"

_MARKS = {
    "prevalence": ("o", "threshold: training prevalence"),
    "youden": ("s", "threshold: Youden on training predictions"),
    "as published": ("x", "as published, optimistic: Youden on this test curve"),
}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves` (model, repeat, fold, fpr, tpr; the averaged one has no fold), `points` and `legend`."""
    operating = result.tables.get("atc-pdtc_operating", pd.DataFrame())
    if not len(operating):
        return {"curves": pd.DataFrame(), "points": pd.DataFrame(), "legend": pd.DataFrame()}
    held_out = result.predictions[result.predictions["split"] == "cv"]
    curves, legend = [], []
    for model in result.models():
        part = held_out[held_out["model"] == model]
        folds = {key: (fold["outcome"], fold["probability"]) for key, fold in part.groupby(["repeat", "fold"])}
        both = {key: fold for key, fold in folds.items() if fold[0].nunique() == 2}
        if not both:
            continue
        for (repeat, fold), (outcome, probability) in both.items():
            curve = roc_curve(outcome, probability)
            curves.append(
                pd.DataFrame({"model": model, "repeat": repeat, "fold": fold, "fpr": curve.fpr, "tpr": curve.tpr})
            )
        mean = averaged_roc(list(both.values()))
        curves.append(pd.DataFrame({"model": model, "repeat": 0, "fold": 0, "fpr": mean.fpr, "tpr": mean.tpr}))
        legend.append((model, interval_text(estimate(result, model, "cv", "auc"))))
    wide = operating[operating["metric"].isin(["sensitivity", "specificity"])].pivot_table(
        index=["model", "rule"], columns="metric", values="estimate", sort=False
    )
    points = wide.reset_index()
    points = points.assign(fpr=1 - points["specificity"], tpr=points["sensitivity"])[["model", "rule", "fpr", "tpr"]]
    return {
        "curves": concatenated(curves, ["model", "repeat", "fold", "fpr", "tpr"]),
        "points": points,
        "legend": pd.DataFrame(legend, columns=["model", "auc"]),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(len(data["legend"]), 2.7, 4)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a model: thin lines are folds, the thick one their mean."""
    grid = _grid(data)
    style = colours(data["legend"]["model"])
    for i, (model, area) in enumerate(data["legend"].itertuples(index=False, name=None)):
        axes = panel(ax, grid.size, grid.box(i))
        colour = style[model][0]
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.7, ls=(0, (4, 3)))
        mine = data["curves"][data["curves"]["model"] == model]
        for (_, fold), curve in mine.groupby(["repeat", "fold"], sort=True):
            if fold:
                axes.plot(curve["fpr"], curve["tpr"], color=colour, lw=0.6, alpha=0.25)
        mean = mine[mine["fold"] == 0]
        axes.plot(mean["fpr"], mean["tpr"], color=colour, lw=1.6, label=f"mean of the folds, AUC {area}")
        points = data["points"][data["points"]["model"] == model]
        for rule, fpr, tpr in points[["rule", "fpr", "tpr"]].itertuples(index=False, name=None):
            mark, words = _MARKS[rule]
            axes.plot(
                fpr,
                tpr,
                mark,
                ms=4.5,
                mfc="white",
                mec=GREY if mark == "x" else colour,
                mew=1.1,
                ls="",
                label=words,
                zorder=4,
            )
        axes.set(
            xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="1 − specificity",
            ylabel="Sensitivity for ATC/PDTC" if grid.first(i) else "", title=f"{'ABCDEFGH'[i % 8]}  {named(model)}",
        )  # fmt: skip
        axes.set_aspect("equal")
        axes.grid()
        legend_below(axes)
