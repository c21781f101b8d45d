"""The proteins with the smallest p in every sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.report.figures._canvas import TWO, colours, panel
from isthmus.report.wording import shorten

__all__ = ["NAME", "TITLE", "caption", "data", "draw", "size"]

NAME = "heat_map"
TITLE = "Proteins that differ most, by sample"

_ROW, _LEFT, _LIMIT, _FEW = 0.112, 1.3, 2.5, 40


def data(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`values` (z-scores; proteins in rows), `proteins` and `samples`, in order."""
    return {
        "values": tables["heat_map"],
        "proteins": tables["heat_map_proteins"],
        "samples": tables["heat_map_samples"],
    }


def size(data: Mapping[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, 1.35 + _ROW * len(data["proteins"]) + _below(data)


def caption(data: Mapping[str, pd.DataFrame]) -> str:
    """What it shows, in words."""
    return (
        "z-scores of log2 abundances, without what batch and covariates explain; rows and columns ordered by average linkage, the samples "
        "without their groups. Proteins chosen because the groups differ separate the groups by construction. White: not measured."
    )


def _below(data: Mapping[str, pd.DataFrame]) -> float:
    names = data["samples"]["sample"].astype(str)
    return 0.065 * min(int(names.str.len().max()), 18) if len(names) <= _FEW else 0.0


def draw(data: Mapping[str, pd.DataFrame], ax: Any) -> None:
    """Colours of a diverging scale, the groups on top."""
    whole, proteins, samples = size(data), data["proteins"], data["samples"]
    z = data["values"].iloc[:, 1:].to_numpy(dtype=float)
    below = _below(data) + 0.5
    tall, wide = _ROW * len(proteins), TWO - _LEFT - 0.7
    axes = panel(ax, whole, (_LEFT, below, wide, tall))
    across, down = np.arange(z.shape[1] + 1) - 0.5, np.arange(z.shape[0] + 1) - 0.5
    shown = axes.pcolormesh(
        across, down, np.ma.masked_invalid(z), cmap="RdBu_r", vmin=-_LIMIT, vmax=_LIMIT, lw=0, rasterized=True
    )
    axes.set(xlim=(across[0], across[-1]), ylim=(down[-1], down[0]), xticks=[])
    axes.set_yticks(range(len(proteins)), [shorten(str(name), 20) for name in proteins["protein"]])
    if len(samples) <= _FEW:
        axes.set_xticks(range(len(samples)), [shorten(str(name), 18) for name in samples["sample"]], rotation=90)
    axes.tick_params(length=0)
    for row, q in enumerate(proteins["fdr"]):
        axes.annotate(
            f"{q:.2g}", (z.shape[1] - 0.5, row), (3, 0), textcoords="offset points", va="center", fontsize=6.5
        )
    axes.annotate("FDR", (z.shape[1] - 0.5, -0.5), (3, 3), textcoords="offset points", fontsize=6.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    names = list(dict.fromkeys(sorted(samples["group"].astype(str))))
    tints = {name: colour for name, (colour, _) in colours(names).items()}
    band = panel(ax, whole, (_LEFT, below + tall + 0.03, wide, 0.1))
    for place, name in enumerate(samples["group"].astype(str)):
        band.barh(0, 1, left=place - 0.5, height=1, color=tints[name], lw=0)
    band.set(xlim=(across[0], across[-1]), ylim=(-0.5, 0.5))
    band.set_axis_off()
    from matplotlib.patches import Patch

    band.legend(
        handles=[Patch(facecolor=tints[name], label=shorten(name, 30)) for name in names], loc="lower left", bbox_to_anchor=(0, 1.1),
        ncols=min(len(names), 5), borderaxespad=0, borderpad=0,
    )  # fmt: skip
    bar = panel(ax, whole, (_LEFT, 0.3, 1.6, 0.08))
    bar.figure.colorbar(shown, cax=bar, orientation="horizontal", ticks=[-2, 0, 2])
    bar.set_xlabel("standard deviations from the protein's mean", labelpad=1)
    bar.tick_params(length=2, pad=1)
