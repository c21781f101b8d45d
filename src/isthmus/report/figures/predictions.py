"""The risks themselves: how far patients with and without the outcome are kept apart, and where the line is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import final_model, final_threshold, patient_predictions, split_name, unseen_splits
from isthmus.report.figures._canvas import EVENT, INK, MANY, NON_EVENT, SMALL, Grid, panel, wrap
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size", "stacked"]

NAME = "predictions"
TITLE = "Predicted risks"
TASKS = ("binary",)

_ROW = 0.42
_LABEL = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`predictions` (model, split, patient, outcome, probability) and `thresholds`; the final model first."""
    final = final_model(result)
    models = [final, *(m for m in result.models() if m != final)]
    rows = []
    for split in unseen_splits(result):
        for model in models:
            part = patient_predictions(result, model, split)
            rows.append(part.assign(model=model, split=split))
    columns = ["model", "split", "patient", "outcome", "probability"]
    cuts = [(model, final_threshold(result, model)) for model in models]
    return {
        "predictions": pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns),
        "thresholds": pd.DataFrame(cuts, columns=["model", "threshold"]).dropna(),
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    table = data["predictions"]
    return Grid(table["split"].nunique(), 2 * _ROW * max(1, table["model"].nunique()), left=1.05, right=0.08)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A dot a patient, a bar for the median; the upright line is the model's threshold."""
    table, grid = data["predictions"], _grid(data)
    models = list(dict.fromkeys(table["model"]))
    cuts = dict(zip(data["thresholds"]["model"], data["thresholds"]["threshold"], strict=True))
    for i, split in enumerate(dict.fromkeys(table["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        for m, model in enumerate(models):
            base = 2 * (len(models) - 1 - m)
            for outcome, offset, colour in ((1, 1.0, EVENT), (0, 0.0, NON_EVENT)):
                part = table[(table["split"] == split) & (table["model"] == model) & (table["outcome"] == outcome)]
                values = np.sort(part["probability"].to_numpy(dtype=float))
                if not len(values):
                    continue
                axes.plot(
                    values,
                    base + offset + stacked(values),
                    "o",
                    ms=2.6,
                    color=colour,
                    alpha=0.85,
                    mec="white",
                    mew=0.3,
                    rasterized=len(table) > MANY,
                )
                middle = float(np.median(values))
                axes.plot([middle, middle], [base + offset - 0.36, base + offset + 0.36], color=INK, lw=1.2)
            if model in cuts:
                axes.plot([cuts[model]] * 2, [base - 0.48, base + 1.48], color=INK, lw=0.8, ls=(0, (3, 2)))
                axes.text(
                    cuts[model] + 0.01,
                    base + 1.5,
                    number(cuts[model]),
                    fontsize=SMALL,
                    va="top",
                    ha="left",
                    bbox=_LABEL,
                )
            if m:
                axes.axhline(base + 1.55, color="#e4e7eb", lw=0.8)
        axes.set(
            xlim=(-0.02, 1.02), ylim=(-0.55, 2 * len(models) - 0.4), xlabel="Predicted risk", title=split_name(split)
        )
        axes.set_yticks(range(2 * len(models)), ["without", "with"] * len(models))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        for m, model in enumerate(models):
            height = (2 * (len(models) - 1 - m) + 1.05) / (2 * len(models) + 0.15)
            name = wrap(str(model), 9, 3)
            axes.text(-0.44, height, name, transform=axes.transAxes, fontsize=SMALL, weight="bold", va="center")


def stacked(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Heights that set dots of nearly equal value side by side, without a random number."""
    bins = np.round(values / 0.025).astype(int)
    heights = np.zeros(len(values))
    for value in np.unique(bins):
        where = np.flatnonzero(bins == value)
        spread = (np.arange(len(where)) + 1) // 2 * np.where(np.arange(len(where)) % 2, 1, -1)
        heights[where] = np.clip(spread * min(0.13, 0.7 / max(1, len(where))), -0.4, 0.4)
    return heights
