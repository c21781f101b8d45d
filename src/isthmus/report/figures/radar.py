"""Several metrics of each model at once, on axes from 0 to 1: for a first look; the table has the intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import estimate, final_model, split_name, unseen_splits
from isthmus.report.figures._canvas import ONE, SMALL, Grid, colours, legend_below
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "radar"
TITLE = "Metrics of the models side by side"
TASKS = ("binary",)

_METRICS = {
    "auc": "AUC", "sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV", "npv": "NPV", "f1": "F1",
    "mcc": "(MCC + 1) / 2",
}  # fmt: skip
_SIDE = 1.75


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`radar`: split, model, metric, value (0 to 1), final; Matthews' coefficient, which goes from -1 to 1, as (MCC + 1) / 2."""
    rows = []
    for split in unseen_splits(result):
        for model in result.models():
            for metric, name in _METRICS.items():
                found = estimate(result, model, split, metric)
                if found is not None:
                    value = (found.estimate + 1) / 2 if metric == "mcc" else found.estimate
                    rows.append((split, model, name, value, model == final_model(result)))
    table = pd.DataFrame(rows, columns=["split", "model", "metric", "value", "final"])
    enough = table.groupby("split")["metric"].transform("nunique") >= 3
    return {"radar": table[enough].reset_index(drop=True)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return _grid(data).size


def _grid(data: dict[str, pd.DataFrame]) -> Grid:
    table = data["radar"]
    return Grid(table["split"].nunique(), _SIDE, max(1, table["model"].nunique()), above=0.5, below=0.3)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One wheel per split. The area means nothing: it changes with the order of the axes."""
    table, grid = data["radar"], _grid(data)
    style = colours(dict.fromkeys(table["model"]))
    ax.set_axis_off()
    width, height = grid.size
    for i, split in enumerate(dict.fromkeys(table["split"])):
        part = table[table["split"] == split]
        names = [name for name in _METRICS.values() if (part["metric"] == name).any()]
        left, bottom, wide, _ = grid.box(i)
        left += (wide - _SIDE) / 2
        axes = ax.inset_axes((left / width, bottom / height, _SIDE / width, _SIDE / height), projection="polar")
        angles = 2 * np.pi * np.arange(len(names)) / len(names)
        for model in dict.fromkeys(part["model"]):
            own = part[part["model"] == model].set_index("metric")
            values = own["value"].reindex(names).to_numpy(dtype=float)
            colour, dash = style[model]
            axes.plot(
                np.r_[angles, angles[0]], np.r_[values, values[0]], color=colour, ls=dash, marker="o", ms=2,
                lw=1.6 if bool(own["final"].iloc[0]) else 1.0, label=shorten(str(model), 40), clip_on=False,
            )  # fmt: skip
        axes.set_theta_zero_location("N")
        axes.set_theta_direction(-1)
        axes.set_ylim(0, 1)
        axes.set_xticks(angles, [])
        axes.set_yticks([0.25, 0.5, 0.75, 1.0], ["", "0.5", "", "1"])
        axes.set_rlabel_position(180 / len(names))
        axes.spines["polar"].set_visible(False)
        for angle, name in zip(angles, names, strict=True):
            across = "center" if abs(np.sin(angle)) < 0.2 else "left" if np.sin(angle) > 0 else "right"
            axes.text(angle, 1.1, name, ha=across, va="center", fontsize=SMALL)
        axes.grid(True, color="#c9d0d6")
        ax.text(
            (i % grid.columns) * ONE / width + grid.left / width, (bottom + _SIDE + 0.38) / height, split_name(str(split)),
            transform=ax.transAxes, fontsize=7.5, weight="bold",
        )  # fmt: skip
        legend_below(axes, 0.25)
