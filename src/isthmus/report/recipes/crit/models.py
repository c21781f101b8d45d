"""Every model at its frozen threshold: AUC, sensitivity, specificity and NPV, out of fold and at the external centre."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.figures._canvas import GREY, TWO, legend_below, panel
from isthmus.report.recipes.crit._pens import OFFSET, mark
from isthmus.report.wording import metric_name, shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "crit_models"
TITLE = "Combinations of feature blocks"

_METRICS = ("auc", "sensitivity", "specificity", "npv")
_ROW, _LEFT = 0.2, 1.75


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`models`: model, split, metric, estimate, lower, upper, final."""
    table = result.tables.get("crit_models", pd.DataFrame())
    if not len(table):
        return {"models": pd.DataFrame()}
    final = final_model(result)
    parts = [
        pd.DataFrame(
            {
                "model": table["model"], "split": table["split"], "metric": metric, "estimate": table[metric],
                "lower": table[f"{metric}_lower"], "upper": table[f"{metric}_upper"], "final": table["model"] == final,
            }
        )
        for metric in _METRICS
    ]  # fmt: skip
    return {"models": pd.concat(parts, ignore_index=True)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.95 + _ROW * max(1, data["models"]["model"].nunique() if len(data["models"]) else 1)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a metric, a line a model, the model named in the plan in bold."""
    table, whole = data["models"], size(data)
    names = list(dict.fromkeys(table["model"]))
    bold = set(table.loc[table["final"], "model"])
    height, wide = _ROW * len(names), (TWO - _LEFT - 0.1) / len(_METRICS)
    for place, metric in enumerate(_METRICS):
        axes = panel(ax, whole, (_LEFT + place * wide, 0.65, wide - 0.15, height))
        for row in table[table["metric"] == metric].to_dict("records"):
            y = len(names) - 1 - names.index(row["model"]) + OFFSET.get(row["split"], 0.0)
            mark(axes, row["split"], row["estimate"], y, row["lower"], row["upper"])
        low = 0.3 if metric == "auc" else 0.0
        axes.set(
            xlim=(low, 1.02), ylim=(-0.6, len(names) - 0.4), xlabel=metric_name(metric) if metric != "npv" else "NPV"
        )
        ticks = [0.4, 0.6, 0.8, 1.0] if metric == "auc" else [0.0, 0.5, 1.0]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_yticks(range(len(names)), [shorten(name, 34) for name in reversed(names)] if place == 0 else [])
        for label, name in zip(axes.get_yticklabels(), reversed(names), strict=False):
            label.set_weight("bold" if name in bold else "normal")
        if metric == "auc":
            axes.axvline(0.5, color=GREY, lw=0.7, ls=(0, (4, 3)))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        if place == 0:
            legend_below(axes, ncols=3)
