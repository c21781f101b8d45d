"""Where each centre's patients lie among all others, before and after harmonisation."""

from __future__ import annotations

from typing import Any

import pandas as pd

from isthmus.report.figures._canvas import ONE, TWO, colours, legend_below, panel
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "harmonisation"
TITLE = "Harmonisation"

_SIDE, _GAP, _LEFT, _BOTTOM = ONE - 0.65, 0.65, 0.5, 0.75


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`harmonisation`: models, batch, when, rows (train, test), site, pc1, pc2, share1, share2."""
    return {"harmonisation": result.tables.get("harmonisation_picture", pd.DataFrame())}


def _panels(table: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    return [((str(m), str(b)), part) for (m, b), part in table.groupby(["models", "batch"], sort=False)]


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, max(1, len(_panels(data["harmonisation"]))) * (_SIDE + _BOTTOM + 0.35)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Pale: training rows of the first fold; strong: its test rows, in the principal components of the training rows."""
    table, whole = data["harmonisation"], size(data)
    parts = _panels(table)
    for row, ((models, batch), part) in enumerate(parts):
        bottom = (len(parts) - 1 - row) * (_SIDE + _BOTTOM + 0.35) + _BOTTOM
        style = colours(sorted(part["site"].astype(str).unique()))
        for column, when in enumerate(("before", "after")):
            axes = panel(ax, whole, (_LEFT + column * (_SIDE + _GAP), bottom, _SIDE, _SIDE))
            mine = part[part["when"] == when]
            for site, (colour, _) in style.items():
                of_site = mine[mine["site"].astype(str) == site]
                train, test = of_site[of_site["rows"] == "train"], of_site[of_site["rows"] == "test"]
                axes.plot(train["pc1"], train["pc2"], "o", ms=2.4, color=colour, alpha=0.25, mec="none")
                axes.plot(
                    test["pc1"], test["pc2"], "o", ms=3.6, color=colour, mec="white", mew=0.5, label=shorten(site, 14)
                )
            first, second = (100 * float(mine[f"share{n}"].iloc[0]) for n in (1, 2))
            axes.set(xlabel=f"component 1 ({first:.0f} %)", ylabel=f"component 2 ({second:.0f} %)")
            axes.set_title(f"{shorten(models, 24)}, {batch}: {when}")
            if column == 0:
                legend_below(axes, ncols=min(len(style), 6))
