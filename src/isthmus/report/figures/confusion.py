"""Which classes the final model takes for one another: confusion matrices with the shares of each true class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import decisions, final_model, split_name, task, unseen_splits
from isthmus.report.figures._canvas import INK, LINE, ONE, Grid, panel, wrap
from isthmus.study.result import Result

__all__ = ["NAME", "TASKS", "TITLE", "data", "draw", "size"]

NAME = "confusion"
TITLE = "Confusion matrix"
TASKS = ("binary", "multiclass", "ordinal")

PALE = 170
"""Share in per cent at which a cell would be darkest: cells stay so light that dark letters can be read on every one."""

_LETTER = 0.064
"""Inches that a letter of a class's name takes, on average."""

_CLASSES = ("without", "with")


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`confusion`: split, true, called, n, row_percent of the final model on patients it had not seen.

    Of a binary outcome at the threshold carried to the patients (in cross-validation the one of their fold; counts are means
    over repeats), of classes as the run's table has them.
    """
    if task(result) == "binary":
        return {"confusion": _at_threshold(result)}
    table = result.tables.get("confusion", pd.DataFrame())
    if not len(table):
        return {"confusion": pd.DataFrame()}
    part = table[(table["model"] == final_model(result)) & table["split"].isin(unseen_splits(result))]
    return {"confusion": part.drop(columns="model").astype({"true": str, "called": str})}


def _at_threshold(result: Result) -> pd.DataFrame:
    rows = []
    for split in unseen_splits(result):
        told = decisions(result, final_model(result), split)
        repeats = max(1, told["repeat"].nunique()) if len(told) else 1
        positive = told["probability"] >= told["threshold"]
        for true, is_true in enumerate(_CLASSES if len(told) else ()):
            of = told["outcome"] == true
            for called, is_called in enumerate(_CLASSES):
                count = int((of & (positive == bool(called))).sum())
                share = 100 * count / int(of.sum()) if of.any() else np.nan
                rows.append((split, is_true, is_called, count / repeats, share))
    return pd.DataFrame(rows, columns=["split", "true", "called", "n", "row_percent"])


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    table = data["confusion"]
    return _grid(table).size


def _grid(table: pd.DataFrame) -> Grid:
    lines = max((name.count("\n") for name in _names(table)), default=0)
    height = _cell(table) * max(1, table["true"].nunique())
    return Grid(table["split"].nunique(), height, left=0.75, below=0.42 + LINE * lines)


def _cell(table: pd.DataFrame) -> float:
    """Inches: of few classes a cell is not larger than its numbers need, of many as large as fits."""
    return min(0.62, (ONE - 0.85) / max(1, table["true"].nunique()))


def _names(table: pd.DataFrame) -> list[str]:
    """The classes as they fit under a cell."""
    width = max(4, int(_cell(table) / _LETTER))
    return [wrap(str(name), width) for name in dict.fromkeys(table["true"])]


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """One matrix per split; darker: a larger share of the true class."""
    table, grid = data["confusion"], _grid(data["confusion"])
    names = list(dict.fromkeys(table["true"]))
    side = _cell(table) * len(names)
    for i, split in enumerate(dict.fromkeys(table["split"])):
        part = table[table["split"] == split]
        share = part.pivot(index="true", columns="called", values="row_percent").loc[names, names].to_numpy(dtype=float)
        count = part.pivot(index="true", columns="called", values="n").loc[names, names].to_numpy(dtype=float)
        axes = panel(ax, grid.size, (*grid.box(i)[:2], side, side))
        axes.imshow(np.nan_to_num(share), cmap="Blues", vmin=0, vmax=PALE, aspect="auto")
        for row in range(len(names)):
            for column in range(len(names)):
                text = f"{count[row, column]:.4g}"
                if np.isfinite(share[row, column]):
                    text += f"\n{share[row, column]:.0f} %"
                axes.text(column, row, text, ha="center", va="center", fontsize=7, color=INK)
        axes.set_xticks(range(len(names)), _names(table))
        axes.set_yticks(range(len(names)), _names(table))
        axes.tick_params(length=0)
        axes.set(xlabel="called", ylabel="true" if grid.first(i) else "", title=split_name(split))
        for side_of in axes.spines.values():
            side_of.set_visible(False)
