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
from isthmus.report.wording import shorten
from isthmus.study.pictures import picture_paths, read_pictures
from isthmus.study.result import Result

__all__ = ["NAME", "OUTLINE", "TITLE", "data", "draw", "size", "tile"]

NAME = "montage"
TITLE = "Lesions and their masks"

COLUMNS, TILES, SIDE = 6, 24, 96
"""Tiles in a row, at most in all, and about the pixels along a side of a tile."""

OUTLINE = "#ffd166"
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
    tall, wide = values.shape[0] * row["spacing_j_mm"], values.shape[1] * row["spacing_i_mm"]
    extent = (0.0, wide, tall, 0.0)
    grey = np.clip(
        (_finer(np.nan_to_num(values, nan=row["black"])) - row["black"]) / (row["white"] - row["black"]), 0, 1
    )
    axes.set_facecolor("black")
    shown = (255 * grey).astype(np.uint8)
    if over is not None:
        factor = len(grey) // len(over)
        paint = over.repeat(factor, axis=0).repeat(factor, axis=1)
        shown = np.where(np.isnan(paint), shown[..., None], np.nan_to_num(255 * paint).astype(np.uint8))
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=extent, interpolation="none")
    outline(axes, mask, extent)
    side = max(tall, wide)
    axes.set(
        xlim=(wide / 2 - side / 2, wide / 2 + side / 2),
        ylim=(tall / 2 + side / 2, tall / 2 - side / 2),
        xticks=[],
        yticks=[],
    )
    axes.set_aspect("equal")
    left, low = wide / 2 - 0.46 * side, tall / 2 + 0.45 * side
    axes.plot([left, left + 10.0], [low, low], color="white", lw=1.2, solid_capstyle="butt")
    for spine in axes.spines.values():
        spine.set(visible=True, color=edge, linewidth=1.0)


def outline(axes: Any, mask: NDArray[np.bool_], extent: tuple[float, float, float, float]) -> None:
    """The edges between pixels of the mask and others, as one path."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    step_i, step_j = extent[1] / mask.shape[1], extent[2] / mask.shape[0]
    points: list[tuple[float, float]] = []
    padded = np.pad(mask, 1)
    for j, start, stop in _runs(padded[1:, 1:-1] != padded[:-1, 1:-1]):
        points += [(start * step_i, j * step_j), (stop * step_i, j * step_j)]
    for i, start, stop in _runs((padded[1:-1, 1:] != padded[1:-1, :-1]).T):
        points += [(i * step_i, start * step_j), (i * step_i, stop * step_j)]
    if points:
        path = Path(points, [Path.MOVETO, Path.LINETO] * (len(points) // 2))
        axes.add_patch(PathPatch(path, fill=False, edgecolor=OUTLINE, linewidth=0.7, capstyle="projecting"))


def _runs(edges: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """(line, start, stop) of the stretches of True along the second axis."""
    change = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, stops = np.argwhere(change == 1), np.argwhere(change == -1)
    return [(int(line), int(a), int(b)) for (line, a), (_, b) in zip(starts, stops, strict=True)]


def _finer(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A small picture with more pixels, straight lines between the middles of the old ones."""
    factor = max(1, SIDE // max(values.shape))
    for axis in (0, 1):
        size = values.shape[axis]
        at = np.clip((np.arange(size * factor) + 0.5) / factor - 0.5, 0, size - 1)
        low = np.minimum(at.astype(int), max(size - 2, 0))
        part = np.expand_dims(at - low, 1 - axis)
        values = values.take(low, axis) * (1 - part) + values.take(np.minimum(low + 1, size - 1), axis) * part
    return values
