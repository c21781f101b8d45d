"""Where the network looks, beside the sub-regions of the same nodule, by class."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image.crop import read_grey_png, read_label_png, read_mask_png
from isthmus.report.figures import habitat_maps, network_maps
from isthmus.report.figures._canvas import SMALL, TWO, panel
from isthmus.report.figures._matrix import group_colours
from isthmus.report.figures._overlay import (
    bar_length,
    label_colours,
    map_colours,
    name_labels,
    outline,
    painted,
    scale_bar,
    show,
)
from isthmus.report.wording import shorten
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "lvlnm_maps"
TITLE = "Grad-CAM and sub-regions"

_PER_CLASS, _TILE, _WORDS, _HEAD, _FOOT, _ALPHA, _PIXELS = 3, TWO / 6, 0.16, 0.34, 0.45, 0.55, 200


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`lvlnm_maps`, a row a nodule that has both maps: of `network_maps`, and, with `habitat_` in front, what `habitat_maps` has of it."""
    networks, habitats = (module.data(result)[module.NAME] for module in (network_maps, habitat_maps))
    if not len(networks) or not len(habitats):
        return {NAME: pd.DataFrame()}
    habitats = habitats[habitats["habitats"] != ""].drop_duplicates("row").set_index("row").add_prefix("habitat_")
    return {NAME: networks.join(habitats, on="row", how="inner").reset_index(drop=True)}


def _classes(table: pd.DataFrame) -> list[list[dict[Any, Any]]]:
    return (
        [part.head(_PER_CLASS).to_dict("records") for _, part in table.groupby("code", sort=True)] if len(table) else []
    )


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    lines = max((len(rows) for rows in _classes(data[NAME])), default=1)
    return TWO, _HEAD + lines * (_TILE + _WORDS) + _FOOT


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A class a side, a nodule a line: the slice, the map of the network over its crop, the sub-regions."""
    table, whole = data[NAME], size(data)
    tints = group_colours(list(dict.fromkeys(table.sort_values("code", kind="stable")["group"])))
    for lane, rows in enumerate(_classes(table)[:2]):
        left = lane * TWO / 2
        ax.text((left + 0.03) / whole[0], 1 - 0.14 / whole[1], shorten(str(rows[0]["group"]), 44), fontsize=7.5, weight="bold",
                color=tints[rows[0]["group"]], transform=ax.transAxes)  # fmt: skip
        for place, words in enumerate(("ultrasound", "Grad-CAM", "sub-regions")):
            at = ((left + place * _TILE + 0.03) / whole[0], 1 - 0.29 / whole[1])
            ax.text(*at, words, fontsize=SMALL, transform=ax.transAxes)
        for line, row in enumerate(rows):
            bottom = whole[1] - _HEAD - (line + 1) * (_TILE + _WORDS) + _WORDS
            _nodule(ax, whole, (left, bottom), row, tints[row["group"]])
    _legend(ax, whole, table)


def _nodule(ax: Any, whole: tuple[float, float], at: tuple[float, float], row: dict[Any, Any], tint: str) -> None:
    left, bottom = at
    grey = read_grey_png(base64.b64decode(row["pixels"]), row["low"], row["high"])
    mask = read_mask_png(base64.b64decode(row["mask"]))
    heat = map_colours(read_grey_png(base64.b64decode(row["map"]), row["map_low"], row["map_high"]))
    spacing, window = (row["spacing_j_mm"], row["spacing_i_mm"]), (row["black"], row["white"])
    for place, over in enumerate((None, heat)):
        axes = panel(ax, whole, (left + place * _TILE + 0.02, bottom, _TILE - 0.04, _TILE - 0.04))
        extent = show(axes, grey, spacing, window, _PIXELS, edge=tint, over=over, alpha=_ALPHA)
        outline(axes, mask, extent)
        if over is None:
            length = bar_length(extent)
            scale_bar(axes, extent, length, f"{length:g} {row['unit']}")
    labels = read_label_png(base64.b64decode(row["habitat_habitats"]))
    under = read_grey_png(base64.b64decode(row["habitat_pixels"]), row["habitat_low"], row["habitat_high"])
    axes = panel(ax, whole, (left + 2 * _TILE + 0.02, bottom, _TILE - 0.04, _TILE - 0.04))
    colours = label_colours(int(row["habitat_habitats_count"]))
    extent = show(axes, under, (row["habitat_spacing_j_mm"], row["habitat_spacing_i_mm"]), (row["habitat_black"], row["habitat_white"]),
                  _PIXELS, edge=tint, over=painted(labels, colours), alpha=_ALPHA)  # fmt: skip
    outline(axes, labels, extent, colour="white", width=0.4)
    name_labels(axes, labels, extent, {label: str(label) for label in range(1, len(colours) + 1)}, least=0.07)
    said = f"{shorten(str(row['patient']), 14)}; network: {row['probability']:.2f}{'' if row['unseen'] else ', SEEN IN TRAINING'}"
    ax.text((left + 0.03) / whole[0], (bottom - 0.1) / whole[1], said, fontsize=SMALL, transform=ax.transAxes)


def _legend(ax: Any, whole: tuple[float, float], table: pd.DataFrame) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    bar = panel(ax, whole, (0.3, 0.26, 1.8, 0.09))
    bar.imshow(np.linspace(0, 1, 128)[None, :], cmap=colormaps["viridis"], aspect="auto", extent=(0, 1, 0, 1))
    bar.set(yticks=[], xticks=[0, 0.5, 1])
    bar.set_xlabel("Grad-CAM, share of each map's largest value", labelpad=1.5, fontsize=SMALL)
    for number, colour in enumerate(label_colours(int(table["habitat_habitats_count"].max())), 1):
        left = 2.9 + 0.85 * (number - 1)
        ax.add_patch(Rectangle((left / whole[0], 0.26 / whole[1]), 0.13 / whole[0], 0.09 / whole[1], facecolor=colour,
                               edgecolor="#4b5661", linewidth=0.5, transform=ax.transAxes))  # fmt: skip
        ax.text(
            (left + 0.18) / whole[0], 0.26 / whole[1], f"sub-region {number}", fontsize=SMALL, transform=ax.transAxes
        )
