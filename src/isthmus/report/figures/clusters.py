"""Which columns say the same: absolute Spearman correlations of the final model's columns and of those they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.facts import final_model
from isthmus.report.figures._canvas import GREY, INK, TWO, panel
from isthmus.report.figures._matrix import matrix, model_blocks, spearman
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "clusters"
TITLE = "Columns that say the same"

CHOSEN, MOST, PARTNERS, CLOSE = 16, 44, 3, 0.8
"""Columns of the model, columns in all, partners of each, and the |Spearman| from which a column is a partner."""

_ROW = 0.105
_LEFT, _TREE = 2.5, 0.45


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`columns`: in the order of the figure: place, feature, kind (of the model, partner), frequency, cluster (average linkage cut at
    1 - `CLOSE`), patients; `correlation`: the matrix of |Spearman|; `tree`: the joins: left, right, height, columns.

    Development patients, medians in the place of missing values.
    """
    empty = {"columns": pd.DataFrame(), "correlation": pd.DataFrame(), "tree": pd.DataFrame()}
    seen = matrix(result, model_blocks(result))
    train = seen.training
    train = train.loc[:, (train.nunique() > 1).to_numpy()] if len(train) else train
    table = result.selected
    if train.shape[0] < 4 or not len(table):
        return empty
    mine = table[(table["model"] == final_model(result)) & table["feature"].isin(list(train.columns))]
    weight = mine["coefficient"].fillna(mine["importance"]).abs().fillna(0.0)
    mine = mine.assign(_weight=weight)[(mine["frequency"].fillna(0) > 0) | (weight > 0)]
    mine = mine.sort_values(["frequency", "_weight", "feature"], ascending=[False, False, True], kind="stable")
    chosen = list(mine["feature"].head(CHOSEN))
    if not chosen:
        return empty
    names = list(train.columns)
    rho = np.abs(spearman(train))
    at = [names.index(name) for name in chosen]
    partners: list[int] = []
    for rank in range(PARTNERS):  # one each, then the next one each: no column takes all the room
        for column in at:
            close = sorted(
                (j for j in range(len(names)) if j not in at and rho[column, j] >= CLOSE),
                key=lambda j: (-rho[column, j], j),
            )
            free = [j for j in close if j not in partners]
            if rank < len(close) and free and len(at) + len(partners) < MOST:
                partners.append(free[0])
    shown = at + partners
    if len(shown) < 2:
        return empty
    block = rho[np.ix_(shown, shown)]
    tree, order, cluster = _clustered(block)
    often = dict(zip(mine["feature"], mine["frequency"].fillna(0.0), strict=True))
    columns = pd.DataFrame(
        {
            "place": np.arange(len(shown)),
            "feature": [names[shown[i]] for i in order],
            "kind": ["of the model" if i < len(at) else "partner" for i in order],
            "frequency": [often.get(names[shown[i]], 0.0) for i in order],
            "cluster": cluster[order],
            "patients": len(train),
        }
    )
    found = pd.DataFrame(block[np.ix_(order, order)], columns=columns["feature"])
    found.insert(0, "column", columns["feature"])
    return {
        "columns": columns,
        "correlation": found,
        "tree": pd.DataFrame(tree, columns=["left", "right", "height", "columns"]),
    }


def _clustered(rho: Any) -> tuple[Any, list[int], Any]:
    """Average linkage of 1 - |rho|; the tree with leaves numbered by their place, the leaves' order and their clusters."""
    from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
    from scipy.spatial.distance import squareform

    apart = 1.0 - (rho + rho.T) / 2
    np.fill_diagonal(apart, 0.0)
    flat = squareform(np.clip(apart, 0.0, 1.0), checks=False)
    tree = linkage(flat, "average", optimal_ordering=True)
    order = [int(leaf) for leaf in leaves_list(tree)]
    raw = fcluster(tree, 1.0 - CLOSE, "distance")
    first = {label: place for place, label in enumerate(dict.fromkeys(raw[order]), start=1)}
    cluster = np.array([first[label] for label in raw])
    place = {leaf: at for at, leaf in enumerate(order)}
    tree = tree.copy()
    for side in (0, 1):
        tree[:, side] = [place.get(int(node), int(node)) for node in tree[:, side]]
    return tree, order, cluster


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 0.12 + _TREE + _side(data) + 0.55


def _side(data: dict[str, pd.DataFrame]) -> float:
    return max(1.6, _ROW * len(data["columns"]))


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """The tree on top; frames: columns that are joined above the limit; bold: columns of the model, with the share of folds."""
    whole, side = size(data), _side(data)
    table = data["columns"]
    rho = data["correlation"].iloc[:, 1:].to_numpy(dtype=float)
    n = len(table)
    wide = min(side, whole[0] - _LEFT - 0.75)
    axes = panel(ax, whole, (_LEFT, 0.55, wide, side))
    edges = np.arange(n + 1) - 0.5
    shown = axes.pcolormesh(edges, edges, rho, cmap="Blues", vmin=0, vmax=1, lw=0, rasterized=True)
    axes.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5), xticks=[])
    axes.set_yticks(
        range(n),
        [
            shorten(str(name), 42 if kind == "partner" else 39)
            for name, kind in zip(table["feature"], table["kind"], strict=True)
        ],
    )
    for label, kind in zip(axes.get_yticklabels(), table["kind"], strict=True):
        label.set_weight("bold" if kind == "of the model" else "normal")
        label.set_color(INK if kind == "of the model" else "#5b6670")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row, (kind, often) in enumerate(zip(table["kind"], table["frequency"], strict=True)):
        if kind == "of the model":
            axes.annotate(
                f"{100 * often:.0f} %", (n - 0.5, row), (3, 0), textcoords="offset points", va="center", fontsize=6.5
            )
    axes.annotate("share of folds", (n - 0.5, -0.5), (3, 3), textcoords="offset points", fontsize=6.5)
    from matplotlib.patches import Rectangle

    for _, part in table.groupby("cluster"):
        if len(part) > 1:
            start = float(part["place"].iloc[0]) - 0.5
            axes.add_patch(Rectangle((start, start), len(part), len(part), fill=False, edgecolor=INK, lw=0.8))
    _draw_tree(panel(ax, whole, (_LEFT, 0.55 + side + 0.03, wide, _TREE)), data["tree"].to_numpy(dtype=float), n)
    bar = panel(ax, whole, (_LEFT, 0.33, min(1.6, wide), 0.08))
    bar.figure.colorbar(shown, cax=bar, orientation="horizontal", ticks=[0, 0.5, 1])
    bar.set_xlabel("|Spearman|", labelpad=1)
    bar.tick_params(length=2, pad=1)


def _draw_tree(axes: Any, tree: Any, n: int) -> None:
    axes.set_axis_off()
    x, y = list(map(float, range(n))), [0.0] * n
    for left, right, height, _ in tree:
        a, b = int(left), int(right)
        axes.plot([x[a], x[a], x[b], x[b]], [y[a], height, height, y[b]], color=GREY, lw=0.7, solid_joinstyle="miter")
        x.append((x[a] + x[b]) / 2)
        y.append(float(height))
    axes.axhline(1.0 - CLOSE, color=GREY, lw=0.5, ls=(0, (4, 3)))
    axes.set(xlim=(-0.5, n - 0.5), ylim=(0, 1.02 * max(1.0, *y)))
