"""Box and whisker plots of the representative value of each category: two groups and three, by UMAP and by the component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, INK, SMALL, TWO, panel
from isthmus.report.recipes.atc_pdtc._names import COLOURS, named
from isthmus.report.wording import p_value
from isthmus.study.result import Result

__all__ = ["BOXES", "Boxes"]

_COLUMNS, _WIDE, _TALL, _BETWEEN = 4, (TWO - 0.1) / 4, 1.45, 0.42
_METHODS = {"umap": "UMAP to one dimension", "pca": "first principal component"}


@dataclass(frozen=True)
class Boxes:
    """One such figure: `method` "umap" or "pca", `groups` 2 or 3."""

    method: str
    groups: int

    @property
    def NAME(self) -> str:
        return f"atc-pdtc_boxes_{self.groups}_{self.method}"

    @property
    def TITLE(self) -> str:
        return f"Representative values of {self.groups} groups, {_METHODS[self.method]} (descriptive)"

    def data(self, result: Result) -> dict[str, pd.DataFrame]:
        """`values` (category, group, patient, value) and `p` (category, p, stability)."""
        values = result.tables.get("atc-pdtc_representatives", pd.DataFrame())
        categories = result.tables.get("atc-pdtc_categories", pd.DataFrame())
        if not len(values) or self.method not in set(values["method"]):
            return {"values": pd.DataFrame(), "p": pd.DataFrame()}
        values, categories = (table[table["method"] == self.method] for table in (values, categories))
        group = values["histology"]
        if self.groups == 2:
            group = group.where(group == "ATC/PDTC", "DTC")
        p = categories["p_DTC" if self.groups == 2 else "p_three"]
        return {
            "values": values.assign(group=group)[["category", "group", "patient", "value"]],
            "p": categories.assign(p=p)[["category", "p", "stability", "stable"]],
        }

    def size(self, data: dict[str, pd.DataFrame]) -> tuple[float, float]:
        """Width and height in inches."""
        rows = -(-len(data["p"]) // _COLUMNS)
        return TWO, 0.5 + rows * (_TALL + _BETWEEN)

    def draw(self, data: dict[str, pd.DataFrame], ax: Any) -> None:
        """A panel a category, in the order of the p-values' geometric mean; dots are patients."""
        whole = self.size(data)
        table = data["values"]
        groups = [name for name in ("ATC/PDTC", "DTC", "PTC", "FTC") if name in set(table["group"])]
        says = f"Descriptive: made from all patients, by {_METHODS[self.method]}"
        ax.text(0.4 / whole[0], 1 - 0.12 / whole[1], says, fontsize=7, color=GREY, va="top", transform=ax.transAxes)
        for place, row in enumerate(data["p"].to_dict("records")):
            across, down = place % _COLUMNS, place // _COLUMNS
            bottom = whole[1] - 0.55 - down * (_TALL + _BETWEEN) - _TALL
            axes = panel(ax, whole, (0.4 + across * _WIDE, bottom, _WIDE - 0.36, _TALL))
            part = table[table["category"] == row["category"]]
            for at, group in enumerate(groups):
                values = np.sort(part.loc[part["group"] == group, "value"].to_numpy(dtype=float))
                spread = 0.28 * np.sin(2.4 * np.arange(len(values)))  # beside one another, always in the same way
                axes.plot(at + spread, values, "o", ms=2.2, color=COLOURS[group], alpha=0.55, mew=0)
                axes.boxplot(
                    values, positions=[at], widths=0.55, showfliers=False, manage_ticks=False,
                    boxprops={"color": INK, "linewidth": 0.7}, medianprops={"color": INK, "linewidth": 1.2},
                    whiskerprops={"color": INK, "linewidth": 0.7}, capprops={"color": INK, "linewidth": 0.7},
                )  # fmt: skip
            unstable = "" if row["stable"] else " *"
            axes.set_title(f"{named(str(row['category']))}{unstable}", fontsize=7.5)
            said = p_value(row["p"])
            said = said if said.startswith("<") else f"= {said}"
            axes.text(
                0.5, 1.0, f"p {said}", transform=axes.transAxes, fontsize=SMALL, ha="center", va="top", color=GREY
            )
            axes.set_xlim(-0.6, len(groups) - 0.4)
            low, high = axes.get_ylim()
            axes.set_ylim(low, high + 0.12 * (high - low))
            axes.set_xticks(range(len(groups)), groups, fontsize=SMALL)
            axes.tick_params(axis="y", labelsize=SMALL)


BOXES = tuple(Boxes(method, groups) for method in ("umap", "pca") for groups in (2, 3))
