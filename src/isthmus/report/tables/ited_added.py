"""Whether iTED says more of the outcome than plain spread, volume and the number of supervoxels do."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "view"]

NAME = "ited_added"
TITLE = "iTED beyond plain spread and volume"
_SHOWN = 10


def view(result: Result) -> View | None:
    """The features with the largest partial correlation; None without a block of iTED."""
    table = result.tables.get(NAME)
    if table is None or not len(table):
        return None
    rows: list[list[str]] = []
    groups: dict[int, str] = {}
    for block, part in table.groupby("block", sort=False):
        beyond = int((part["q"] < 0.05).sum())
        said = f"{beyond} of {len(part)} features add something (q < 0.05), {int(part['n'].max())} patients"
        groups[len(rows)] = f"{block}: {said}"
        order = part["partial"].abs().sort_values(ascending=False, kind="stable").index
        for row in part.loc[order].dropna(subset=["partial"]).head(_SHOWN).to_dict("records"):
            interval = f"{row['partial']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})"
            rows.append(
                [
                    str(row["feature"]),
                    f"{100 * row['above_zero']:.0f} %",
                    *(_number(row[name]) for name in ("rho_volume", "rho", "rho_sd")),
                    interval,
                    f"{row['q']:.3f}",
                ]
            )
    caption = (
        "Spearman's rho with the outcome, development patients; partial: given the plain standard deviation of the same values, log volume "
        "and the number of supervoxels, with its interval. iTED whose partial correlation is about 0 is spread or volume in other words. "
        "A description: no model chose by it. All features: tables/ited_added.csv."
    )
    names = ["Feature", "Above 0", "ρ with volume", "ρ", "ρ of plain SD", "Partial ρ (interval)", "q"]
    return View(pd.DataFrame(rows, columns=names), caption, groups, tuple(names[1:5]))


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"
