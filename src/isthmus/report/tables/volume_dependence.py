"""How much of each block is the volume of the lesion in other words."""

from __future__ import annotations

import pandas as pd

from isthmus.report.tables._view import View
from isthmus.study.result import Result

__all__ = ["NAME", "STRONG", "TITLE", "view"]

NAME = "volume_dependence"
TITLE = "Features and the volume of the region"
STRONG = 0.9
_NAMED = 3


def view(result: Result) -> View | None:
    """One row a block; None where no volumes were measured."""
    table = result.tables.get(NAME)
    if table is None or not len(table):
        return None
    rows = []
    for block, part in table.groupby("block", sort=False):
        size = part["rho"].abs()
        strongest = part.loc[size.sort_values(ascending=False, kind="stable").index].dropna(subset=["rho"]).head(_NAMED)
        rows.append(
            [
                str(block),
                f"{size.notna().sum()}",
                "–" if size.isna().all() else f"{size.median():.2f}",
                *(f"{(size >= limit).sum()}" for limit in (0.5, STRONG)),
                "; ".join(f"{name} ({float(str(rho)):.2f})" for name, rho in zip(strongest["feature"], strongest["rho"], strict=True)),
            ]
        )  # fmt: skip
    caption = (
        "Spearman's rho with the volume of the region, development patients. A feature at 0.9 or more says no more than the volume, which "
        "is cheaper to measure; a model of such features has to be compared with the volume alone. Intervals and variance inflation: "
        "tables/volume_dependence.csv."
    )
    names = ["Block", "Features", "Median |ρ|", "|ρ| ≥ 0.5", f"|ρ| ≥ {STRONG}", "Strongest (ρ)"]
    return View(pd.DataFrame(rows, columns=names), caption, numeric=("Features", "Median |ρ|", *names[3:5]))
