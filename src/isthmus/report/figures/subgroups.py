"""Whether the final model ranks patients as well in every subgroup: a forest of AUCs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import estimate, final_model, split_name
from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, concatenated, panel
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "subgroups"
TITLE = "Subgroups"

_ROW = 0.19
_COLUMNS = ["split", "subgroup", "level", "n", "n_events", "auc", "lower", "upper", "all"]


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`subgroups`: split, subgroup, level, n, n_events, auc, lower, upper of the final model, and the AUC of `all` patients."""
    table = result.tables.get("subgroups", pd.DataFrame())
    if not len(table):
        return {"subgroups": pd.DataFrame()}
    model = final_model(result)
    parts = []
    for split, rows in table[(table["model"] == model) & (table["metric"] == "auc")].groupby("split", sort=False):
        whole = estimate(result, model, str(split), "auc_pooled") or estimate(result, model, str(split), "auc")
        areas = rows.rename(columns={"estimate": "auc"}).assign(all=whole.estimate if whole else np.nan)
        parts.append(areas[_COLUMNS])
    return {"subgroups": concatenated(parts, _COLUMNS)}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    table = data["subgroups"]
    panels = max(1, table["split"].nunique()) if len(table) else 1
    return TWO, 0.25 + sum(0.6 + _ROW * n for n in _heights(table)) if len(table) else 1.0 * panels


def _heights(table: pd.DataFrame) -> list[int]:
    """Rows of each panel: levels, and a heading for each subgroup."""
    return [len(part) + part["subgroup"].nunique() for _, part in table.groupby("split", sort=False)]


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A point and its interval per level; dashed: all patients of the split."""
    table, whole = data["subgroups"], size(data)
    top = whole[1] - 0.25
    low = min(0.4, float(table["lower"].min(skipna=True)) - 0.03) if table["lower"].notna().any() else 0.4
    for (split, part), rows in zip(table.groupby("split", sort=False), _heights(table), strict=True):
        height = _ROW * rows
        axes = panel(ax, whole, (2.0, top - height, 3.5, height))
        top -= height + 0.6
        y = rows - 1
        ticks, labels = [], []
        for name, levels in part.groupby("subgroup", sort=False):
            axes.text(
                -0.02,
                y,
                shorten(str(name), 30),
                transform=axes.get_yaxis_transform(),
                ha="right",
                va="center",
                fontsize=SMALL,
                weight="bold",
            )
            y -= 1
            for row in levels.to_dict("records"):
                ticks.append(y)
                labels.append(shorten(str(row["level"]), 24))
                said = f"{row['n']:.0f} ({row['n_events']:.0f})"
                if np.isfinite(row["auc"]):
                    axes.plot([row["lower"], row["upper"]], [y, y], color=INK, lw=1.0)
                    axes.plot(row["auc"], y, "s", ms=4, color=INK, mec="white")
                else:
                    said += "  too few"
                axes.text(1.02, y, said, transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL)
                y -= 1
        if part["all"].notna().any():
            axes.axvline(float(part["all"].iloc[0]), color=GREY, lw=0.7, ls=(0, (4, 3)))
        axes.set(xlim=(low, 1.0), ylim=(-0.6, rows - 0.4), xlabel="AUC", title=split_name(str(split)))
        axes.set_yticks(ticks, labels)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
