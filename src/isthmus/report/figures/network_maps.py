"""Where the network of the final model looks: the slice and its map, a patient a pair, by class."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd

from isthmus.image.crop import read_grey_png, read_mask_png
from isthmus.report.facts import patients
from isthmus.report.figures._canvas import SMALL, TWO, panel
from isthmus.report.figures._matrix import group_colours, group_names
from isthmus.report.figures._overlay import (
    bar_length,
    edge_letters,
    half_line,
    map_colours,
    outline,
    scale_bar,
    show,
    window_of,
)
from isthmus.report.wording import shorten
from isthmus.study.network_pictures import network_paths
from isthmus.study.pictures import read_pictures
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "network_maps"
TITLE = "Where the network looks"

_PIXELS, _ALPHA, _COLUMNS, _LINES = 240, 0.5, 4, 4
_TILE = (TWO - 0.1) / _COLUMNS
_HEAD, _WORDS, _FOOT = 0.24, 0.28, 0.5
_FACTS = [
    "group", "code", "row", "patient", "model", "block", "network", "trained", "unseen", "method", "layer", "target", "target_name",
    "probability", "image", "slice", "slices", "unit", "spacing_j_mm", "spacing_i_mm", "plane", "left", "top", "low", "high", "map_low",
    "map_high", "gradient", "share_in_lesion", "lesion_share", "spearman", "ssim", "black", "white", "pixels", "mask", "map",
]  # fmt: skip


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`network_maps`, a row a patient, classes in turn: group, code (of the outcome), the facts of `tables/network_maps.csv`, target_name
    (the class that is explained), black and white (of the window), and the pictures (PNG, base64)."""
    table = result.tables.get("network_maps", pd.DataFrame())
    if not len(table):
        return {"network_maps": pd.DataFrame()}
    codes = pd.to_numeric(patients(result).set_index("patient")["outcome"], errors="coerce")
    names = group_names(result)
    found = []
    for row in table[table["low"].notna()].to_dict("records"):
        pictures, code = (
            read_pictures(result.folder, network_paths(row["block"], row["row"])),
            codes.get(row["patient"], np.nan),
        )
        if pictures is None or pd.isna(code):
            continue
        grey = read_grey_png(base64.b64decode(pictures["pixels"]), row["low"], row["high"])
        black, white = window_of(grey, read_mask_png(base64.b64decode(pictures["mask"])), str(row["quantity"]), None)
        target, group = int(row["target"]), names.get(int(code), str(int(code)))
        found.append({**{str(key): value for key, value in row.items()}, **pictures, "code": int(code), "group": group,
                      "target_name": names.get(target, str(target)), "black": black, "white": white})  # fmt: skip
    return {"network_maps": pd.DataFrame(found)[_FACTS] if found else pd.DataFrame()}


def _lanes(table: pd.DataFrame) -> list[list[dict[Any, Any]]]:
    """Two classes stand side by side, of others the rows follow one another, two in a line; as many as a page holds."""
    groups = [part.to_dict("records") for _, part in table.groupby("code", sort=True)]
    if len(groups) == 2:
        return [own[:_LINES] for own in groups]
    shown = [row for own in groups for row in own][: 2 * _LINES]
    return [shown[::2], shown[1::2]]


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    table = data["network_maps"]
    lines = max((len(lane) for lane in _lanes(table)), default=1) if len(table) else 1
    return TWO, 0.05 + _HEAD + lines * (_TILE + _WORDS) + _FOOT


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Of each patient the slice with the outline of the lesion, and the map over what the network saw of it."""
    table, whole = data["network_maps"], size(data)
    tints = group_colours(list(dict.fromkeys(table.sort_values("code", kind="stable")["group"])))
    first = table.iloc[0]
    words = (
        f"{first['block']}: {first['network']}, Grad-CAM of {first['layer']}; model {shorten(str(first['model']), 40)}"
    )
    ax.text(0.05 / whole[0], 1 - 0.16 / whole[1], words, fontsize=7.5, weight="bold", transform=ax.transAxes)
    for lane, own in enumerate(_lanes(table)):
        for line, row in enumerate(own):
            left, bottom = 0.05 + 2 * lane * _TILE, whole[1] - _HEAD - (line + 1) * (_TILE + _WORDS) + _WORDS
            _lesion(ax, whole, (left, bottom), row, tints[row["group"]])
    _legend(ax, whole, table)


def _lesion(ax: Any, whole: tuple[float, float], at: tuple[float, float], row: dict[Any, Any], tint: str) -> None:
    left, bottom = at
    grey = read_grey_png(base64.b64decode(row["pixels"]), row["low"], row["high"])
    mask = read_mask_png(base64.b64decode(row["mask"]))
    values = read_grey_png(base64.b64decode(row["map"]), row["map_low"], row["map_high"])
    for place, over in enumerate((None, map_colours(values))):
        axes = panel(ax, whole, (left + place * _TILE + 0.02, bottom, _TILE - 0.04, _TILE - 0.04))
        extent = show(axes, grey, (row["spacing_j_mm"], row["spacing_i_mm"]), (row["black"], row["white"]), _PIXELS,
                      edge=tint, over=over, alpha=_ALPHA)  # fmt: skip
        outline(axes, mask, extent)
        if over is None:
            length = bar_length(extent)
            scale_bar(axes, extent, length, f"{length:g} {row['unit']}")
            edge_letters(axes, extent, *("" if pd.isna(row[key]) else str(row[key]) for key in ("left", "top")))
        else:
            half_line(axes, values, extent)
    said = f"{shorten(str(row['target_name']), 24)} {row['probability']:.2f}"
    lines = [
        f"{shorten(str(row['patient']), 18)}, {shorten(str(row['group']), 34)}",
        f"network: {said}{'' if row['gradient'] > 0 else '; flat map'}{'' if row['unseen'] else '; SEEN IN TRAINING'}",
    ]
    for line, text in enumerate(lines):
        ax.text(
            (left + 0.02) / whole[0],
            (bottom - 0.11 - 0.12 * line) / whole[1],
            text,
            fontsize=SMALL,
            transform=ax.transAxes,
        )


def _legend(ax: Any, whole: tuple[float, float], table: pd.DataFrame) -> None:
    from matplotlib import colormaps

    bar = panel(ax, whole, (0.1, 0.3, 2.0, 0.09))
    bar.imshow(np.linspace(0, 1, 128)[None, :], cmap=colormaps["viridis"], aspect="auto", extent=(0, 1, 0, 1))
    bar.set(yticks=[], xticks=[0, 0.5, 1])
    bar.axvline(0.5, color="white", lw=0.8)
    bar.set_xlabel("share of each map's largest value", labelpad=1.5)
    check = table["spearman"].dropna()
    lines = [
        "Yellow outline: the lesion. White line: half of the largest value.",
        "0: nothing there speaks for the class. No colour: not seen by the network.",
        f"With random weights instead: rank correlation with these maps {check.mean():.2f}".replace("-", "−")
        if len(check) else "With random weights instead every map is flat.",
    ]  # fmt: skip
    for line, words in enumerate(lines):
        ax.text(2.45 / whole[0], (0.36 - 0.13 * line) / whole[1], words, fontsize=SMALL, transform=ax.transAxes)
