"""How many of those called positive have the outcome, and how many of those with it are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import estimate, patient_predictions, sent_bands, split_name, unseen_splits
from isthmus.report.figures._canvas import GREY, Grid, colours, concatenated, legend_below, panel
from isthmus.report.wording import number, shorten
from isthmus.stats.bands import band_pr
from isthmus.stats.precision_recall import precision_recall_curve
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "precision_recall"
TITLE = "Precision and recall"
TASKS = ("binary",)

_COLUMNS = ["split", "model", "recall", "precision", "area", "prevalence"]


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves`: split, model, recall, precision, area (average precision of metrics.csv), prevalence.

    In cross-validation each patient counts once, with the mean over repeats.
    """
    curves = []
    for split in unseen_splits(result):
        for model in result.models():
            rows = patient_predictions(result, model, split)
            sent = sent_bands(result, model, split)
            if len(sent):  # another site's patients: known at the edges of the bands it sent
                area = estimate(result, model, split, "pr_auc")
                facts = {
                    "area": area.estimate if area else np.nan,
                    "prevalence": sent["events"].sum() / sent["n"].sum(),
                }
                curves.append(band_pr(sent).assign(split=split, model=model, **facts)[_COLUMNS])
                continue
            if not len(rows) or not 0 < rows["outcome"].sum() < len(rows):
                continue
            curve = precision_recall_curve(rows["outcome"], rows["probability"])
            area = estimate(result, model, split, "pr_auc")
            curves.append(
                curve.assign(
                    split=split,
                    model=model,
                    area=area.estimate if area else np.nan,
                    prevalence=float(rows["outcome"].mean()),
                )[_COLUMNS]
            )
    return {"curves": concatenated(curves, _COLUMNS)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["curves"]["split"].nunique(), 2.3, 1 + data["curves"]["model"].nunique())


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per split; steps, since precision does not change along a line between two points."""
    grid, curves = _grid(data), data["curves"]
    style = colours(dict.fromkeys(curves["model"]))
    for i, split in enumerate(dict.fromkeys(curves["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        part = curves[curves["split"] == split]
        for model, curve in part.groupby("model", sort=False):
            colour, dash = style[str(model)]
            label = f"{shorten(str(model), 24)}: {number(curve['area'].iloc[0])}"
            axes.step(
                np.r_[0.0, curve["recall"]], np.r_[curve["precision"].iloc[0], curve["precision"]], where="pre",
                color=colour, ls=dash, label=label,
            )  # fmt: skip
        share = float(part["prevalence"].iloc[0])
        axes.axhline(share, color=GREY, lw=0.7, ls=(0, (4, 3)), label=f"prevalence: {number(share)}")
        axes.set(
            xlim=(0, 1), ylim=(0, 1.02), xlabel="Recall (sensitivity)",
            ylabel="Precision (PPV)" if grid.first(i) else "", title=split_name(str(split)),
        )  # fmt: skip
        axes.grid()
        legend_below(axes)
