"""Sensitivity and NPV as printed and of this run, with the intervals the print leaves out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.facts import split_name
from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, panel
from isthmus.report.recipes.crit._pens import STYLE, mark
from isthmus.report.wording import number
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "crit_published"
TITLE = "Sensitivity and negative predictive value, as printed and of this run"

_METRICS = {"sensitivity": "Sensitivity", "npv": "Negative predictive value"}


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`rates`: source, split, metric, part, whole, estimate and limits by both methods; of the printed NPV the larger count."""
    table = result.tables.get("crit_published", pd.DataFrame())
    return {
        "rates": table.drop_duplicates(["source", "split", "metric"], keep="last") if len(table) else pd.DataFrame()
    }


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.75 + 0.24 * max(1, len(data["rates"]) // 2)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A panel a rate: what was printed in grey, with the interval its counts give."""
    table, whole = data["rates"], size(data)
    wide = (TWO - 1.35) / 2
    for place, (metric, words) in enumerate(_METRICS.items()):
        part = table[table["metric"] == metric].reset_index(drop=True)
        axes = panel(ax, whole, (1.3 + place * wide, 0.45, wide - 0.75, 0.24 * len(part)))
        labels = []
        for i, row in enumerate(part.to_dict("records")):
            y = len(part) - 1 - i
            printed = row["source"] == "printed"
            labels.append("Printed, external" if printed else split_name(str(row["split"])))
            if printed:
                axes.plot([row["wilson_lower"], row["wilson_upper"]], [y, y], color=GREY, lw=0.9)
                axes.plot(row["estimate"], y, "x", ms=4.5, mew=1.2, color=GREY)
            else:
                mark(axes, str(row["split"]), row["estimate"], y, row["wilson_lower"], row["wilson_upper"])
            said = f"{number(row['part'], 0)}/{number(row['whole'], 0)}"
            colour = GREY if printed else STYLE.get(str(row["split"]), ("", INK))[1]
            axes.text(1.04, y, said, transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL, color=colour)
        axes.set(xlim=(0.0, 1.02), ylim=(-0.6, len(part) - 0.4), xlabel=words)
        axes.set_yticks(range(len(part)), labels[::-1] if place == 0 else [])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
