"""Proteins that go together within groups, on a circle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import GREY, SMALL, TWO, colours, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "network"
TITLE = "Proteins that go together within groups"

_MOST, _LINES = 60, 150
_SIDE = 5.2


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`edges` and `proteins` of the network: at most 60 proteins, those with the most partners, and their 150 surest edges."""
    nodes, edges = tables["network_proteins"], tables["network"]
    nodes = nodes[nodes["degree"] > 0].sort_values("degree", ascending=False, kind="stable").head(_MOST)
    nodes = nodes.sort_values(["module", "degree"], ascending=[True, False], kind="stable")
    kept = set(nodes["protein"])
    edges = edges[edges["edge"] & edges["protein_a"].isin(kept) & edges["protein_b"].isin(kept)]
    edges = edges.sort_values("p", kind="stable").head(_LINES)  # more hide one another
    return {"edges": edges.reset_index(drop=True), "proteins": nodes.reset_index(drop=True)}


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, _SIDE + 0.35


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return (
        "Residuals of the model, so that a difference between groups makes no edge. Solid: positive; dashed: negative correlation. "
        f"Colours: modules of connected proteins. {len(data['proteins'])} proteins, the {len(data['edges'])} surest of their edges."
    )


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Proteins round a circle by module, edges as curves through its inside."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    nodes, edges, whole = data["proteins"], data["edges"], size(data)
    axes = panel(ax, whole, ((TWO - _SIDE) / 2, 0.3, _SIDE, _SIDE))
    axes.set_axis_off()
    axes.set(xlim=(-1.45, 1.45), ylim=(-1.45, 1.45))
    angle = 2 * np.pi * np.arange(len(nodes)) / max(len(nodes), 1)
    at = {name: np.array([np.cos(a), np.sin(a)]) for name, a in zip(nodes["protein"], angle, strict=True)}
    modules = [str(module) for module in sorted(nodes["module"].unique())]
    tints = colours(modules)
    module = dict(zip(nodes["protein"], nodes["module"].astype(str), strict=True))
    for a, b, r in zip(edges["protein_a"], edges["protein_b"], edges["spearman"], strict=True):
        curve = Path([at[a], (at[a] + at[b]) * 0.18, at[b]], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        axes.add_patch(PathPatch(curve, fill=False, edgecolor=tints[module[a]][0], lw=0.4 + 1.4 * (abs(r) - 0.5),
                                 linestyle="-" if r > 0 else (0, (3, 2)), alpha=0.6))  # fmt: skip
    for name, turn, degree in zip(nodes["protein"], angle, nodes["degree"], strict=True):
        axes.scatter(*at[name], s=8 + 4 * degree, color=tints[module[name]][0], lw=0, zorder=3)
        left = np.cos(turn) < 0
        axes.text(
            *(1.05 * at[name]), shorten(str(name), 18), fontsize=SMALL, rotation=np.degrees(turn) + (180 if left else 0),
            rotation_mode="anchor", ha="right" if left else "left", va="center",
        )  # fmt: skip
    ax.text(0.02, 0.02, "Size: number of partners.", fontsize=SMALL, color=GREY, transform=ax.transAxes)
