"""How well the final model tells each class from the others: a ROC curve a class, on patients it had not seen."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import estimate, final_model, split_name, unseen_splits
from isthmus.report.figures._canvas import GREY, Grid, colours, concatenated, legend_below, panel
from isthmus.report.wording import interval_text, shorten
from isthmus.stats.roc import averaged_roc, roc_curve
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "class_columns", "data", "draw", "size"]

NAME = "class_roc"
TITLE = "Each class against the rest"
TASKS = ("multiclass", "ordinal")


def class_columns(result: Result) -> dict[str, str]:
    """Class -> the column of predictions.csv that holds its probability, in the order of the codes."""
    return {c.removeprefix("probability:"): c for c in result.predictions.columns if c.startswith("probability:")}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves` (class, split, fpr, tpr) of the final model, and `legend` (class, split, auc)."""
    curves, legend = [], []
    final, columns = final_model(result), class_columns(result)
    for split in unseen_splits(result):
        table = result.predictions
        rows = table[(table["model"] == final) & (table["split"] == split)].dropna(subset=["outcome", "probability"])
        if not len(rows):
            continue
        parts = [part for _, part in rows.groupby(["repeat", "fold"], sort=True)] if split == "cv" else [rows]
        for code, (name, column) in enumerate(columns.items()):
            pairs = [((part["outcome"] == code).to_numpy(dtype=int), part[column].to_numpy()) for part in parts]
            pairs = [pair for pair in pairs if 0 < pair[0].sum() < len(pair[0])]
            if not pairs:
                continue
            curve = averaged_roc(pairs) if split == "cv" else roc_curve(*pairs[0])
            curves.append(pd.DataFrame({"fpr": curve.fpr, "tpr": curve.tpr, "class": name, "split": split}))
            legend.append((name, split, interval_text(estimate(result, final, split, f"auc:{name}"))))
    return {
        "curves": concatenated(curves, ["fpr", "tpr", "class", "split"]),
        "legend": pd.DataFrame(legend, columns=["class", "split", "auc"]),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["legend"]["split"].nunique(), 2.7, 1 + data["legend"]["class"].nunique())


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per split, one line per class."""
    grid = _grid(data)
    style = colours(dict.fromkeys(data["legend"]["class"]))
    for i, split in enumerate(dict.fromkeys(data["legend"]["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        axes.plot([0, 1], [0, 1], color=GREY, lw=0.7, ls=(0, (4, 3)), label="chance 0.50")
        for name, area in (
            data["legend"].loc[data["legend"]["split"] == split, ["class", "auc"]].itertuples(index=False)
        ):
            colour, dash = style[name]
            curves = data["curves"]
            curve = curves[(curves["class"] == name) & (curves["split"] == split)]
            axes.plot(curve["fpr"], curve["tpr"], color=colour, ls=dash, label=f"{shorten(str(name), 22)} {area}")
        axes.set(
            xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="1 − specificity", ylabel="Sensitivity" if grid.first(i) else "",
            title=split_name(split),
        )  # fmt: skip
        axes.set_aspect("equal")
        axes.grid()
        legend_below(axes)
