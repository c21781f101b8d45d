"""Of 1,000 patients, how many the model calls high risk at each threshold, and how many of these have the outcome."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import confidence, final_model, patient_predictions, split_name, unseen_splits
from isthmus.report.figures._canvas import EVENT, INK, Grid, concatenated, legend_below, panel
from isthmus.report.figures.decision_curve import threshold_range
from isthmus.stats.classification import proportion_interval
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "clinical_impact"
TITLE = "Clinical impact"
TASKS = ("binary",)

_KINDS = {"high risk": (INK, "-"), "high risk and with the outcome": (EVENT, (0, (5, 1.2)))}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`curves`: split, kind (`high risk`, `high risk and with the outcome`), threshold, per_1000, lower, upper, patients.

    Final model; in cross-validation each patient counts once, with the mean over repeats. Intervals: Wilson.
    """
    lowest, highest = threshold_range(result)
    thresholds = np.round(np.arange(lowest, highest + 1e-9, 0.01), 10)
    curves = []
    for split in unseen_splits(result):
        rows = patient_predictions(result, final_model(result), split)
        if not len(rows):
            continue
        y, p = rows["outcome"].to_numpy(), rows["probability"].to_numpy()
        high = p[:, None] >= thresholds
        for kind, inside in zip(_KINDS, (high, high & (y == 1)[:, None]), strict=True):
            counts = inside.sum(axis=0)
            ends = [proportion_interval(k, len(rows), confidence(result)) for k in counts]
            curves.append(
                pd.DataFrame(
                    {
                        "split": split, "kind": kind, "threshold": thresholds, "per_1000": 1000 * counts / len(rows),
                        "lower": [1000 * e.lower for e in ends], "upper": [1000 * e.upper for e in ends], "patients": len(rows),
                    }
                )
            )  # fmt: skip
    return {"curves": concatenated(curves, ["split", "kind", "threshold", "per_1000", "lower", "upper", "patients"])}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    return Grid(data["curves"]["split"].nunique(), 2.1, 2)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One panel per split; the gap between the lines are those called without need."""
    grid, curves = _grid(data), data["curves"]
    for i, split in enumerate(dict.fromkeys(curves["split"])):
        axes = panel(ax, grid.size, grid.box(i))
        part = curves[curves["split"] == split]
        for kind, (colour, dash) in _KINDS.items():
            own = part[part["kind"] == kind]
            axes.fill_between(own["threshold"], own["lower"], own["upper"], color=colour, alpha=0.12, lw=0)
            axes.plot(own["threshold"], own["per_1000"], color=colour, ls=dash, label=kind)
        axes.set(
            xlim=(part["threshold"].min(), part["threshold"].max()), ylim=(0, 1000), title=split_name(str(split)),
            xlabel="Threshold probability", ylabel="Of 1,000 patients" if grid.first(i) else "",
        )  # fmt: skip
        axes.grid()
        legend_below(axes)
