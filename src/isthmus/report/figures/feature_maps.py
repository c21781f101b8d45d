"""Where in a lesion a texture of the final model is high and low: a map over the slice, a patient a class."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.image.crop import read_grey_png, read_mask_png
from isthmus.report.facts import patients
from isthmus.report.figures._canvas import SMALL, TWO, panel
from isthmus.report.figures._matrix import group_colours, group_names
from isthmus.report.figures.montage import tile
from isthmus.report.wording import shorten
from isthmus.study.feature_maps import map_paths
from isthmus.study.pictures import read_pictures
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size"]

NAME = "feature_maps"
TITLE = "A texture of the model in the region"

_COLUMNS = 4
_TILE, _HEAD, _FOOT = TWO / _COLUMNS, 0.19, 0.55


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`feature_maps`, a row a patient: group, code (of the outcome), row, patient, block, column, slice, kernel_radius, spacing_j_mm,
    spacing_i_mm, low, high, map_low, map_high (what the ends of `pixels` and `map` stand for), black, white (of the window: 1st and 99th
    percentile of the slice), lowest and highest (of the colours: 2nd and 98th percentile of all lesions), and the pictures (base64)."""
    table = result.tables.get("feature_maps", pd.DataFrame())
    if not len(table):
        return {"feature_maps": pd.DataFrame()}
    codes = pd.to_numeric(patients(result).set_index("patient")["outcome"], errors="coerce")
    names = group_names(result)
    found = []
    for row in table[table["low"].notna()].to_dict("records"):
        pictures = read_pictures(result.folder, map_paths(row["block"], row["row"]))
        code = codes.get(row["patient"], np.nan)
        if pictures is not None and pd.notna(code):
            found.append(
                {
                    **{str(key): value for key, value in row.items()},
                    **pictures,
                    "code": int(code),
                    "group": names.get(int(code), str(int(code))),
                }
            )
    if not found:
        return {"feature_maps": pd.DataFrame()}
    values = [_map(row) for row in found]
    greys = [read_grey_png(base64.b64decode(row["pixels"]), row["low"], row["high"]) for row in found]
    inside = np.concatenate([one[np.isfinite(one)] for one in values])
    lowest, highest = np.percentile(inside, [2, 98]) if inside.size else (0.0, 1.0)
    windows = [np.nanpercentile(one, [1, 99]) for one in greys]
    made = pd.DataFrame(found).assign(
        black=[float(low) for low, _ in windows], white=[float(high if high > low else low + 1) for low, high in windows],
        lowest=float(lowest), highest=float(highest if highest > lowest else lowest + 1),
    )  # fmt: skip
    columns = ["group", "code", "row", "patient", "block", "image", "column", "weight", "weight_kind", "slice", "kernel_radius",
               "spacing_j_mm", "spacing_i_mm", "low", "high", "map_low", "map_high", "black", "white", "lowest", "highest", "pixels",
               "mask", "map"]  # fmt: skip
    return {"feature_maps": made[columns]}


def _map(row: dict[Any, Any]) -> NDArray[np.float64]:
    values = read_grey_png(base64.b64decode(row["map"]), row["map_low"], row["map_high"])
    return np.where(read_mask_png(base64.b64decode(row["mask"])), values, np.nan)


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    return TWO, -(-max(1, 2 * len(data["feature_maps"])) // _COLUMNS) * (_TILE + _HEAD) + _FOOT + 0.2


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """Two tiles a patient: the slice with the outline of the region, and the map over it; one scale of colours for all."""
    from matplotlib import colormaps

    whole, table = size(data), data["feature_maps"]
    tints = group_colours([*dict.fromkeys(table.sort_values("code", kind="stable")["group"])])
    colours = colormaps["viridis"]
    first = table.iloc[0]
    ax.text(0.05 / whole[0], 1 - 0.15 / whole[1], shorten(f"{first['block']}: {first['column']}", 90), weight="bold", fontsize=7.5,
            transform=ax.transAxes)  # fmt: skip
    for place, row in enumerate(table.to_dict("records")):
        across, down = 2 * place % _COLUMNS, 2 * place // _COLUMNS
        bottom = whole[1] - 0.2 - (down + 1) * (_TILE + _HEAD)
        mask = read_mask_png(base64.b64decode(row["mask"]))
        grey = read_grey_png(base64.b64decode(row["pixels"]), row["low"], row["high"])
        shown = _map(row)
        share = np.clip((shown - row["lowest"]) / (row["highest"] - row["lowest"]), 0, 1)
        painted = np.where(np.isfinite(shown)[..., None], colours(np.nan_to_num(share))[..., :3], np.nan)
        for step, over in enumerate((None, painted)):
            axes = panel(ax, whole, ((across + step) * _TILE + 0.04, bottom, _TILE - 0.08, _TILE - 0.08))
            tile(axes, grey, mask, row, edge=tints[row["group"]], over=over)
        words = f"{shorten(str(row['patient']), 18)}, {shorten(str(row['group']), 34)}"
        at = ((across * _TILE + 0.04) / whole[0], (bottom + _TILE - 0.02) / whole[1])
        ax.text(*at, words, fontsize=SMALL, transform=ax.transAxes)
    bar = panel(ax, whole, (0.3, 0.34, 2.2, 0.09))
    bar.imshow(np.linspace(0, 1, 128)[None, :], cmap=colours, aspect="auto", extent=(0, 1, 0, 1))
    bar.set(yticks=[], xticks=[0, 0.5, 1])
    low, high = float(first["lowest"]), float(first["highest"])
    bar.set_xticklabels([f"{value:.3g}".replace("-", "−") for value in (low, (low + high) / 2, high)])
    bar.set_xlabel(f"in a cube of {2 * int(first['kernel_radius']) + 1} voxels around each voxel", labelpad=2)
