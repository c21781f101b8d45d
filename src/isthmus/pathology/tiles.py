"""Tiles: every pixel of the tissue belongs to exactly one; around it, a halo is read that belongs to others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.pathology.annotation import Outline, inside
from isthmus.pathology.slide import Slide
from isthmus.pathology.stain import Pixels
from isthmus.pathology.tissue import Tissue, TissueSettings, find_tissue

__all__ = ["Tile", "at_tissue", "read_with_halo", "share_of_tissue", "thumbnail", "tiles_of", "tissue_of"]

_BLOCK = 256


@dataclass(frozen=True)
class Tile:
    """A rectangle of a slide at the working resolution; it owns the nuclei whose centroid lies in it."""

    number: int
    top: int
    left: int
    rows: int
    columns: int
    tissue: float


def thumbnail(slide: Slide, mpp: float) -> Pixels:
    """The whole slide at a low resolution, put together from blocks: memory is that of the result."""
    rows, columns = slide.shape(mpp)
    whole = np.empty((rows, columns, 3), dtype=np.uint8)
    for top in range(0, rows, _BLOCK):
        for left in range(0, columns, _BLOCK):
            high, wide = min(_BLOCK, rows - top), min(_BLOCK, columns - left)
            whole[top : top + high, left : left + wide] = slide.read(top, left, high, wide, mpp)
    return whole


def tissue_of(slide: Slide, settings: TissueSettings, outlines: list[Outline] | None = None) -> tuple[Tissue, Pixels]:
    """Tissue inside the outlines (anywhere without them), and the picture it was found in."""
    mpp = slide.working(max(settings.mpp, slide.mpp))
    picture = thumbnail(slide, mpp)
    found = find_tissue(picture, mpp, settings)
    if outlines is None:
        return found, picture
    step = mpp / slide.mpp
    j, i = np.nonzero(found.mask if found.spoiled is None else found.mask | found.spoiled)
    region = np.zeros_like(found.mask)
    region[j, i] = inside(outlines, np.asarray((np.column_stack([i, j]) + 0.5) * step, dtype=np.float64))
    return found.within(region), picture


def tiles_of(slide: Slide, tissue: Tissue, mpp: float, size: int) -> list[Tile]:
    """The tiles of a grid of `size` pixels at `mpp` that hold any tissue, row by row."""
    rows, columns = slide.shape(mpp)
    found: list[Tile] = []
    for top in range(0, rows, size):
        for left in range(0, columns, size):
            high, wide = min(size, rows - top), min(size, columns - left)
            share = share_of_tissue(tissue, slide.working(mpp), top, left, high, wide)
            if share > 0:
                found.append(Tile(len(found), top, left, high, wide, share))
    return found


def share_of_tissue(tissue: Tissue, mpp: float, top: int, left: int, rows: int, columns: int) -> float:
    """Of a rectangle at `mpp`."""
    part = tissue.mask[_covered(top, rows, mpp / tissue.mpp), _covered(left, columns, mpp / tissue.mpp)]
    return float(part.mean()) if part.size else 0.0


def read_with_halo(slide: Slide, tile: Tile, mpp: float, halo: int) -> tuple[Pixels, int, int]:
    """The tile and `halo` pixels around it, as far as the slide goes; and the (top, left) of what was read."""
    rows, columns = slide.shape(mpp)
    top, left = max(0, tile.top - halo), max(0, tile.left - halo)
    bottom, right = min(rows, tile.top + tile.rows + halo), min(columns, tile.left + tile.columns + halo)
    return slide.read(top, left, bottom - top, right - left, mpp), top, left


def at_tissue(tissue: Tissue, points_um: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the points (n, 2) as (x, y), um, lie on tissue."""
    j, i = (
        np.clip((points_um[:, axis] / tissue.mpp).astype(int), 0, tissue.mask.shape[1 - axis] - 1) for axis in (1, 0)
    )
    return np.asarray(tissue.mask[j, i])


def _covered(first: int, count: int, ratio: float) -> slice:
    return slice(int(first * ratio), max(int(first * ratio) + 1, int(np.ceil((first + count) * ratio))))
