"""How well each feature came out again: intraclass correlations with intervals, and what the plan's rule kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, NON_EVENT, TWO, legend_below, panel
from isthmus.report.wording import shorten
from isthmus.study.blocks import qualified
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "icc"
TITLE = "Reliability of the features"

LINES = (0.75, 0.90)
"""Koo and Li 2016: good, excellent."""

FAMILIES = 12
_KEPT, _TALL = "#0072B2", 2.1


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`icc`: models, form, rule, place (by falling ICC), feature, family, icc, lower, upper, kept (features without an ICC are left
    out); `families`: models, family, features, kept, median."""
    table = result.tables.get("reliability", pd.DataFrame())
    if not len(table):
        return {"icc": pd.DataFrame(), "families": pd.DataFrame()}
    order = {models: place for place, models in enumerate(table["models"].unique())}
    table = table.dropna(subset=["icc"]).sort_values(["icc", "feature"], ascending=[False, True], kind="stable")
    family = _families(result)
    table = table.assign(
        kept=table["kept"].astype(bool),
        family=[family.get(str(name), "") for name in table["feature"]],
        place=table.groupby("models", sort=False).cumcount() + 1,
    ).sort_values("models", kind="stable", key=lambda names: names.map(order))
    named = table[table["family"] != ""]
    families = named.groupby(["models", "family"], sort=False).agg(
        features=("icc", "size"), kept=("kept", "sum"), median=("icc", "median")
    )
    families = families.reset_index().sort_values(["models", "median"], ascending=[True, False], kind="stable")
    names = ["models", "form", "rule", "place", "feature", "family", "icc", "lower", "upper", "kept"]
    return {"icc": table[names].reset_index(drop=True), "families": families.reset_index(drop=True)}


def _families(result: Result) -> dict[str, str]:
    """Feature -> its family, as design matrices name it."""
    return {
        qualified(block, str(column), several=len(result.blocks) > 1): str(family)
        for block, facts in result.blocks.items()
        if "family" in facts
        for column, family in zip(facts["column"], facts["family"], strict=True)
    }


def _parts(data: dict[str, pd.DataFrame]) -> list[tuple[str, pd.DataFrame, pd.DataFrame]]:
    groups = data["families"]
    return [
        (str(models), part, groups[groups["models"] == models].head(FAMILIES) if len(groups) else groups)
        for models, part in data["icc"].groupby("models", sort=False)
    ][:3]


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, max(1, len(_parts(data))) * (_TALL + 0.95) if len(data["icc"]) else 1.0


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Left: every feature by falling ICC, its interval a line; right: the features of each family."""
    whole = size(data)
    for row, (models, part, families) in enumerate(_parts(data)):
        bottom = whole[1] - (row + 1) * (_TALL + 0.95) + 0.65
        axes = panel(ax, whole, (0.5, bottom, 3.3, _TALL))
        low = float(
            np.clip(np.floor(10 * part["lower"].fillna(part["icc"]).min()) / 10, min(0.0, part["icc"].min()), 0.7)
        )
        lower, upper = part["lower"].clip(lower=low - 0.05), part["upper"].fillna(part["icc"])
        for kept, colour, words in ((True, _KEPT, "kept"), (False, GREY, "left out")):
            mine = (part["kept"] == kept).to_numpy()
            axes.vlines(part["place"][mine], lower[mine], upper[mine], color=colour, lw=0.6, alpha=0.55)
            share = f"{words}: {int(mine.sum())} of {len(part)} ({part['rule'].iloc[0]})" if kept else words
            axes.plot(
                part["place"][mine], part["icc"][mine], "o" if kept else "D", ms=2.2, mew=0, color=colour, label=share
            )
        for line in LINES:
            axes.axhline(line, color=GREY, lw=0.7, ls=(0, (4, 3)))
            axes.annotate(f"{line:.2f}", (1, line), (2, 0), xycoords=("axes fraction", "data"),
                          textcoords="offset points", va="center", fontsize=6.5)  # fmt: skip
        axes.set(
            xlim=(0, len(part) + 1), ylim=(low - 0.05, 1.03), xlabel="features, by falling ICC",
            ylabel=f"ICC({part['form'].iloc[0]})", title=shorten(models, 50),
        )  # fmt: skip
        axes.locator_params(axis="x", integer=True)
        legend_below(axes, ncols=2)
        if not len(families):
            continue
        right = panel(ax, whole, (5.25, bottom, whole[0] - 5.4, _TALL))
        for at, family in enumerate(families["family"]):
            values = np.sort(part.loc[part["family"] == family, "icc"].to_numpy(dtype=float))
            high = len(families) - 1 - at
            right.plot(values, high + 0.22 * np.sin(2.4 * np.arange(len(values))), "o", ms=2, mew=0, color=NON_EVENT)
            right.plot([np.median(values)] * 2, [high - 0.35, high + 0.35], color=_KEPT, lw=1.4)
        counts = families[["family", "kept", "features"]].itertuples(index=False)
        right.set_yticks(range(len(families))[::-1], [f"{shorten(str(name), 18)} {k}/{n}" for name, k, n in counts])
        right.set(xlim=(low - 0.05, 1.03), ylim=(-0.6, len(families) - 0.4), xlabel="ICC", title="kept by family")
        right.tick_params(axis="y", length=0)
        for line in LINES:
            right.axvline(line, color=GREY, lw=0.7, ls=(0, (4, 3)))
