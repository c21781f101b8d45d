"""Lesions with the outlines of their masks: what the features were measured on."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.image.crop import read_grey_png, read_mask_png
from isthmus.report.facts import patients
from isthmus.report.figures._canvas import GREY, SMALL, TWO, panel
from isthmus.report.figures._matrix import group_colours, group_names
from isthmus.report.figures._overlay import outline, scale_bar, show
from isthmus.report.wording import shorten
from isthmus.study.pictures import picture_paths, read_pictures
from isthmus.study.result import Result

__all__ = ["NAME", "TITLE", "data", "draw", "size", "tile"]

NAME = "montage"
TITLE = "Regions and their masks"

COLUMNS, TILES, SIDE = 6, 24, 96
"""Tiles in a row, at most in all, and about the pixels along a side of a tile."""

_HEAD, _LABEL = 0.26, 0.15
_TILE = (TWO - 0.1) / COLUMNS
_SCALED = ("HU", "SUVbw")
"""What a grey means is the same in every image."""


def data(result: Result) -> dict[str, pd.DataFrame]:
    """`montage`, a row a tile: group, code (of the outcome), row, patient, block, image, quantity, slice, spacing_j_mm,
    spacing_i_mm, low and high (what black and white of `pixels` stand for), black and white (of the window), and the picture itself:
    pixels (PNG of 16 bits, base64), mask.

    One window for all tiles of an image in HU or SUV (1st to 99th percentile of all of them), its own for each otherwise.
    """
    table = result.tables.get("pictures", pd.DataFrame())
    if not len(table):
        return {"montage": pd.DataFrame()}
    codes = pd.to_numeric(patients(result).set_index("patient")["outcome"], errors="coerce")
    names = group_names(result)
    tiles = []
    for row in _fitting(table).to_dict("records"):
        picture = read_pictures(result.folder, picture_paths(row["block"], row["row"]))
        code = codes.get(row["patient"], np.nan)
        if picture is not None and pd.notna(code):
            tiles.append(
                {
                    **{str(key): value for key, value in row.items()},
                    **picture,
                    "code": int(code),
                    "group": names.get(int(code), str(int(code))),
                }
            )
    if not tiles:
        return {"montage": pd.DataFrame()}
    montage = pd.DataFrame(tiles)
    montage = montage.assign(**_windows(montage)).sort_values("code", kind="stable", ignore_index=True)
    columns = ["group", "code", "row", "patient", "block", "image", "quantity", "slice", "spacing_j_mm", "spacing_i_mm", "low", "high",
               "black", "white", "pixels", "mask"]  # fmt: skip
    return {"montage": montage[columns]}


def _fitting(table: pd.DataFrame) -> pd.DataFrame:
    """As many patients, in their order, as the tiles allow, each with all of his images."""
    rows = list(dict.fromkeys(table["row"]))
    return table[table["row"].isin(rows[: max(1, TILES // table["block"].nunique())])]


def _windows(montage: pd.DataFrame) -> dict[str, list[float]]:
    values = [_values(row) for row in montage.to_dict("records")]
    black, white = np.zeros(len(montage)), np.zeros(len(montage))
    for (_, quantity), part in montage.groupby(["block", "quantity"], sort=False):
        together = quantity in _SCALED
        shared = np.concatenate([values[at].ravel() for at in part.index])
        for at in part.index:
            black[at], white[at] = np.nanpercentile(shared if together else values[at], [1, 99])
    return {"black": [float(b) for b in black], "white": [float(w) for w in np.where(white > black, white, black + 1)]}


def _values(row: dict[Any, Any]) -> NDArray[np.float64]:
    return read_grey_png(base64.b64decode(row["pixels"]), row["low"], row["high"])


def _lines(data: dict[str, pd.DataFrame]) -> list[tuple[str, list[dict[Any, Any]]]]:
    """Group -> its rows of tiles: an image a row where there are several, so that a patient's images stand below one another."""
    found = []
    table = data["montage"]
    for group, part in table.groupby("group", sort=False):
        blocks = list(dict.fromkeys(table["block"]))
        rows = list(dict.fromkeys(part["row"]))
        for start in range(0, len(rows), COLUMNS):
            for block in blocks:
                mine = part[(part["block"] == block) & part["row"].isin(rows[start : start + COLUMNS])]
                if len(mine):
                    found.append((str(group), mine.to_dict("records")))
    return found


def size(data: dict[str, pd.DataFrame]) -> tuple[float, float]:
    """Width and height in inches."""
    lines = _lines(data) if len(data["montage"]) else []
    return TWO, 0.05 + len(lines) * (_TILE + _LABEL) + len({group for group, _ in lines}) * _HEAD


def draw(data: dict[str, pd.DataFrame], ax: Any) -> None:
    """A block of tiles a group of the outcome."""
    whole = size(data)
    tints = group_colours(list(dict.fromkeys(data["montage"]["group"])))
    top, before = whole[1], ""
    for group, tiles in _lines(data):
        if group != before:
            top -= _HEAD
            number = data["montage"].loc[data["montage"]["group"] == group, "patient"].nunique()
            ax.text(0.05 / whole[0], (top + 0.08) / whole[1], f"{shorten(group, 70)} ({number} shown)", weight="bold",
                    fontsize=7.5, transform=ax.transAxes)  # fmt: skip
            before = group
        top -= _TILE + _LABEL
        for place, row in enumerate(tiles):
            box = (0.05 + place * _TILE + 0.02, top + _LABEL, _TILE - 0.04, _TILE - 0.04)
            tile(
                panel(ax, whole, box),
                _values(row),
                read_mask_png(base64.b64decode(row["mask"])),
                row,
                edge=tints[group],
            )
            name = shorten(str(row["patient"]), 15)
            words = (
                name
                if data["montage"]["block"].nunique() == 1
                else f"{shorten(name, 11)} {shorten(str(row['image']), 6)}"
            )
            ax.text((box[0] + box[2] / 2) / whole[0], (top + 0.03) / whole[1], words, ha="center", fontsize=SMALL, color="#4b5661",
                    transform=ax.transAxes)  # fmt: skip


def tile(
    axes: Any,
    values: NDArray[np.float64],
    mask: NDArray[np.bool_],
    row: dict[Any, Any],
    *,
    edge: str = GREY,
    over: NDArray[np.float64] | None = None,
) -> None:
    """A picture in its true proportions on black, with the outline of its mask and a bar of 10 mm; `over`: red, green and blue (0 to 1)
    of each pixel, NaN where the picture shows."""
    extent = show(
        axes,
        values,
        (row["spacing_j_mm"], row["spacing_i_mm"]),
        (row["black"], row["white"]),
        SIDE,
        edge=edge,
        over=over,
    )
    outline(axes, mask, extent)
    scale_bar(axes, extent, 10.0)
