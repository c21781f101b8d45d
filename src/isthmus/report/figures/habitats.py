"""What the habitats of the final model are: the features that tell them apart, and their share of the lesion in each group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import SPLITS, split_name
from isthmus.report.figures._canvas import INK, SMALL, TWO, panel
from isthmus.report.figures._matrix import group_colours, group_names
from isthmus.report.figures._overlay import label_colours
from isthmus.report.wording import number, shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "habitats"
TITLE = "Habitats of the final model"

_ROW, _HEAD, _TITLE, _FOOT = 0.17, 0.34, 0.18, 0.5
_LEAST = 8  # lines of the right panel
_LIMIT = 2.0  # standard deviations at the ends of the colours
_MARKS = ("o", "s", "D", "^", "v", "P")
_FILLS = ("full", "left", "none", "bottom", "top", "right")
"""Of the marks of the training set, and of other splits."""


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`profile` (the rows of `tables/habitats.csv` whose feature has a rank) and `shares` (`tables/habitat_shares.csv` with `group`, the
    words for the outcome)."""
    profile = result.tables.get("habitats", pd.DataFrame())
    shares = result.tables.get("habitat_shares", pd.DataFrame())
    if not len(profile):
        return {"profile": pd.DataFrame(), "shares": pd.DataFrame()}
    names = group_names(result)
    return {
        "profile": profile[profile["rank"].notna()].sort_values(["block", "rank", "habitat"], ignore_index=True),
        "shares": shares.assign(group=[names.get(int(code), str(code)) for code in shares["outcome"]]),
    }


def _parts(data: dict[str, pd.DataFrame]) -> list[tuple[str, pd.DataFrame, pd.DataFrame, float]]:
    """Block, its profile, its shares, and the height of its panels."""
    found = []
    for block, profile in data["profile"].groupby("block", sort=False):
        shares = data["shares"][data["shares"]["block"] == block]
        lines = profile["habitat"].nunique() * max(1, len(_series(shares)))
        height = max(_ROW * profile["feature"].nunique(), 0.09 * lines, 0.9)
        found.append((str(block), profile, shares, height))
    return found


def _series(shares: pd.DataFrame) -> list[tuple[str, str]]:
    """The pairs of split and group that have marks: training first."""
    pairs = shares[["split", "group", "outcome"]].drop_duplicates()
    order = ["train", *(split for split in SPLITS if split != "train")]
    pairs = pairs.assign(later=[order.index(one) if one in order else len(order) for one in pairs["split"]])
    pairs = pairs.sort_values(["later", "split", "outcome"], kind="stable")
    return list(pairs[["split", "group"]].itertuples(index=False, name=None))


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    parts = _parts(data)
    legend = max((len(_series(shares)) for _, _, shares, _ in parts), default=1)
    return TWO, sum(_above(data) + height + _FOOT + 0.13 * max(legend - 1, 1) for _, _, _, height in parts)


def _above(data: dict[str, pd.DataFrame]) -> float:
    """Above the panels of a block: numbers of habitats and, of several blocks, which it is."""
    return _HEAD + (_TITLE if data["profile"]["block"].nunique() > 1 else 0)


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A block below a block: medians as colours and numbers, and marks with intervals."""
    whole = size(data)
    top = whole[1]
    for block, profile, shares, height in _parts(data):
        bottom = top - _above(data) - height
        if data["profile"]["block"].nunique() > 1:
            ax.text(
                0.05 / whole[0],
                (top - 0.14) / whole[1],
                shorten(block, 60),
                fontsize=7.5,
                weight="bold",
                transform=ax.transAxes,
            )
        _heat(panel(ax, whole, (1.95, bottom, 2.0, height)), profile)
        _marks(panel(ax, whole, (4.45, bottom, 2.15, height)), shares, height)
        top = bottom - _FOOT - 0.13 * max(len(_series(shares)) - 1, 1)


def _heat(axes: Any, profile: pd.DataFrame) -> None:
    from matplotlib.patches import Rectangle

    table = profile.pivot_table(index="feature", columns="habitat", values="median", sort=False)
    table = table.reindex(list(dict.fromkeys(profile["feature"])))
    values = table.to_numpy(dtype=np.float64)
    count, habitats = values.shape
    axes.imshow(values, cmap="PuOr_r", vmin=-_LIMIT, vmax=_LIMIT, aspect="auto", interpolation="none")
    for row, column in np.ndindex(*values.shape):
        value = values[row, column]
        if habitats <= 7:
            ink = "white" if abs(value) > 1.25 else INK
            axes.text(column, row, number(value, 1), ha="center", va="center", fontsize=SMALL, color=ink)
    tints = label_colours(habitats)
    shares = profile.drop_duplicates("habitat").set_index("habitat")["share"]
    for column, habitat in enumerate(table.columns):
        axes.add_patch(
            Rectangle((column - 0.5, -0.5 - 0.34 * count / 12 - 0.08), 1, 0.34 * count / 12, facecolor=tints[column], edgecolor="white",
                      linewidth=0.5, clip_on=False)
        )  # fmt: skip
        axes.text(column, -0.75 - 0.34 * count / 12, f"{habitat}", ha="center", va="bottom", fontsize=7, weight="bold")
        axes.text(column, count - 0.3, f"{100 * shares[habitat]:.0f} %", ha="center", va="top", fontsize=SMALL)
    axes.text(-0.55, -0.75 - 0.34 * count / 12, "habitat", ha="right", va="bottom", fontsize=SMALL)
    axes.set_yticks(range(count), [shorten(str(name).replace("_", " "), 34) for name in table.index])
    axes.set_xticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(
        -0.03,
        -0.3 / max(count, 1),
        "share of all voxels",
        ha="right",
        va="top",
        fontsize=SMALL,
        transform=axes.transAxes,
    )


def _marks(axes: Any, shares: pd.DataFrame, height: float) -> None:
    series = _series(shares)
    habitats = sorted(shares["habitat"].unique())
    tints = group_colours(list(dict.fromkeys(shares.sort_values("outcome", kind="stable")["group"])))
    step = 0.8 / max(len(series), 1)
    splits = list(dict.fromkeys(split for split, _ in series))
    for place, (split, group) in enumerate(series):
        own = shares[(shares["split"] == split) & (shares["group"] == group)].sort_values("habitat")
        y = own["habitat"].to_numpy() - 0.4 + step * (place + 0.5)
        x, low, high = (100 * own[name].to_numpy(dtype=np.float64) for name in ("share", "lower", "upper"))
        axes.hlines(y, low, high, color=tints[group], lw=1.2)
        words = f"{shorten(group, 26)} (n = {int(own['patients'].iloc[0])})"
        if len(splits) > 1:
            words += ", training" if split == "train" else f", {shorten(split_name(split).lower(), 24)}"
        mark, fill = _MARKS[list(tints).index(group) % len(_MARKS)], _FILLS[splits.index(split) % len(_FILLS)]
        axes.plot(x, y, mark, ms=4, color=tints[group], fillstyle=fill, mfcalt="white", mew=0.8, ls="none", label=words)
    axes.set_ylim(max(habitats, default=1) + 0.5, 0.5)
    axes.set_yticks(habitats, [f"habitat {habitat}" for habitat in habitats])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, None)
    axes.grid(axis="x")
    axes.set_xlabel("share of the lesion (%)")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.2, -0.36 / height), borderaxespad=0, borderpad=0, handlelength=1.0)
