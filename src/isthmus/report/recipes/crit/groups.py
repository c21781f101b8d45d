"""Groups of risk of the final model: the share with metastasis in each."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.figures._canvas import SMALL, TWO, legend_below, panel
from isthmus.report.recipes.crit._pens import OFFSET, mark
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "RULES", "TITLE", "data", "draw", "size"]

NAME = "crit_risk_groups"
TITLE = "Groups of risk"

RULES = {"tertile": "Tertiles", "fixed": "Fixed limits", "threshold": "Screening threshold"}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`groups`: rule, group, from, to, split, n, events, share, lower, upper."""
    return {"groups": result.tables.get("crit_risk_groups", pd.DataFrame())}


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 2.75


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a rule; over each point events of patients."""
    table, whole = data["groups"], size(data)
    wide = (TWO - 0.5) / len(RULES)
    for place, (rule, words) in enumerate(RULES.items()):
        part = table[table["rule"] == rule]
        names = list(dict.fromkeys(part["group"]))
        axes = panel(ax, whole, (0.45 + place * wide, 0.75, wide - 0.2, 1.65))
        for row in part.to_dict("records"):
            x = names.index(row["group"]) + OFFSET.get(row["split"], 0.0) * -1.0
            mark(axes, row["split"], x, row["share"], row["lower"], row["upper"], upright=True)
            top = row["upper"] if row["n"] else 0.0
            said = f"{row['events']}/{row['n']}"
            axes.text(x, top + 0.015, said, ha="center", va="bottom", fontsize=SMALL, rotation=90)
        limits = part.drop_duplicates("group")
        labels = [f"{name}\nto {number(to)}" for name, to in zip(limits["group"], limits["to"], strict=True)]
        axes.set_xticks(range(len(names)), labels)
        axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(0.0, 1.15), title=words)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
        axes.grid(axis="y")
        if place == 0:
            axes.set_ylabel("Share with metastasis")
            legend_below(axes, 0.5, ncols=3)
