"""`isthmus pathology import`: nuclei that another program found, measured as ours are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import ImageReadError, PlanError
from isthmus.pathology.annotation import Outline, inside
from isthmus.pathology.importing import labels_of_outlines, outlined_nuclei, read_labels
from isthmus.pathology.nuclei import UNCLASSIFIED, Segmented, SlideFacts, learn_slide, nuclei_table
from isthmus.pathology.overlay import whole
from isthmus.pathology.settings import PathologySettings
from isthmus.pathology.slide import Slide
from isthmus.pathology.summary import summarise
from isthmus.pathology.tiles import Tile, at_tissue, read_with_halo, tiles_of
from isthmus.study.pathology import (
    SlideRow,
    each_slide,
    opened,
    write_facts,
    write_picture,
    write_row,
    write_summaries,
)

__all__ = ["import_to_folder"]

_LARGEST_UM = 100.0  # a nucleus in the halo of a tile

Nuclei = Callable[[int, int, int, int], tuple[NDArray[np.int32], list[str]]]
"""Labels and classes of a rectangle (top, left, rows, columns) at the working resolution."""


def import_to_folder(
    out: Path, rows: Sequence[SlideRow], settings: PathologySettings, *, nuclei: Path | None = None
) -> int:
    """`nuclei.parquet`, `facts.json`, `overlay.png`, `summary.csv` of every slide, and the tables of all; how many slides failed.

    A nucleus counts where `isthmus pathology nuclei` would count it, too: its centroid on tissue and inside the annotations. No limit of
    size, shape or sharpness is set here: the other program has chosen.

    Raises
    ------
    PlanError
        The nuclei of a slide are not given.
    """
    if nuclei is not None and len(rows) > 1:
        raise PlanError("--nuclei is of one slide; for many, give the table a column nuclei")
    rows = [replace(row, nuclei=nuclei or row.nuclei) for row in rows]
    for row in rows:
        if row.nuclei is None:
            raise PlanError(f"slide {row.name}: no file of nuclei; give --nuclei, or the table a column nuclei")
    found: dict[str, dict[str, float]] = {}

    def one(row: SlideRow, folder: Path) -> None:
        found[row.name] = _import(row, folder, settings)

    failed = each_slide(out, rows, one)
    write_summaries(out, [row for row in rows if row.name in found], found)
    return failed


def _import(row: SlideRow, folder: Path, settings: PathologySettings) -> dict[str, float]:
    assert row.nuclei is not None
    slide, tissue, picture, outlines = opened(row, settings)
    facts = learn_slide(slide, tissue, settings)
    nuclei = _nuclei_of(row.nuclei, slide, facts, settings)
    parts = [
        _measured(slide, tile, facts, settings, nuclei) for tile in tiles_of(slide, tissue, settings.mpp, settings.tile)
    ]
    table = pd.concat(parts, ignore_index=True)
    keep = at_tissue(tissue, table[["x_um", "y_um"]].to_numpy(float))
    if outlines is not None:
        keep &= inside(outlines, table[["x_px", "y_px"]].to_numpy(float))
    table = table[keep].sort_values(["y_um", "x_um"], kind="stable", ignore_index=True)
    if not len(table):
        raise ImageReadError(
            f"{row.nuclei}: none of its nuclei lies on the tissue of {row.path.name}; are they of this slide, in pixels of level 0?"
        )
    table.insert(0, "slide", row.name)
    table.insert(1, "nucleus", np.arange(1, len(table) + 1))
    table.to_parquet(folder / "nuclei.parquet", index=False)
    write_facts(folder / "facts.json", row, slide, tissue, facts, settings)
    write_picture(folder / "overlay.png", whole(picture, tissue, table))
    found = summarise(table, tissue)
    write_row(folder / "summary.csv", row, found)
    return found


def _nuclei_of(path: Path, slide: Slide, facts: SlideFacts, settings: PathologySettings) -> Nuclei:
    outlines = outlined_nuclei(path)
    if outlines is not None:
        scale = slide.mpp / facts.mpp
        rings = [Outline(one.name, one.ring * scale, tuple(hole * scale for hole in one.holes)) for one in outlines]
        low = np.array([ring.ring.min(axis=0) for ring in rings])
        high = np.array([ring.ring.max(axis=0) for ring in rings])

        def of_outlines(top: int, left: int, rows: int, columns: int) -> tuple[NDArray[np.int32], list[str]]:
            corner = np.array([left, top], dtype=float)
            here = ((high > corner) & (low < corner + np.array([columns, rows]))).all(axis=1)
            shifted = [
                Outline(rings[n].name, rings[n].ring - corner, tuple(hole - corner for hole in rings[n].holes))
                for n in np.flatnonzero(here)
            ]
            return labels_of_outlines(shifted, (rows, columns)), [one.name for one in shifted]

        return of_outlines
    labels = read_labels(path)
    full, working = tuple(slide.size), slide.shape(settings.mpp)
    if labels.shape not in (full, working):
        raise ImageReadError(
            f"{path}: labels of shape {labels.shape}; expected {full}, the slide's, or {working}, at {settings.mpp:g} um per pixel"
        )
    steps = [labels.shape[axis] / working[axis] for axis in (0, 1)]

    def of_labels(top: int, left: int, rows: int, columns: int) -> tuple[NDArray[np.int32], list[str]]:
        j, i = (
            np.minimum(((np.arange(n) + start + 0.5) * step).astype(int), size - 1)
            for n, start, step, size in zip((rows, columns), (top, left), steps, labels.shape, strict=True)
        )
        part = labels[np.ix_(j, i)]
        names, place = np.unique(part, return_inverse=True)
        first = 0 if names.size and names[0] == 0 else 1
        numbered = np.asarray(place.reshape(part.shape) + first, dtype=np.int32)
        return numbered, [""] * int(numbered.max(initial=0))

    return of_labels


def _measured(slide: Slide, tile: Tile, facts: SlideFacts, settings: PathologySettings, nuclei: Nuclei) -> pd.DataFrame:
    """The nuclei whose centroid lies in the tile."""
    rgb, top, left = read_with_halo(slide, tile, settings.mpp, int(np.ceil(_LARGEST_UM / facts.mpp)))
    labels, classes = nuclei(top, left, *rgb.shape[:2])
    there = np.unique(labels[labels > 0])  # what others cover wholly has no pixel
    number = np.zeros(len(classes) + 1, np.int32)
    number[there] = np.arange(1, len(there) + 1)
    labels, names = np.asarray(number[labels]), [classes[n - 1] or UNCLASSIFIED for n in there]
    table = nuclei_table(Segmented(rgb, labels, names, np.full(len(names), np.nan), top, left), facts, slide.mpp)
    j, i = table["y_um"] / facts.mpp - 0.5, table["x_um"] / facts.mpp - 0.5
    keep = (j >= tile.top - 0.5) & (j < tile.top + tile.rows - 0.5)
    keep &= (i >= tile.left - 0.5) & (i < tile.left + tile.columns - 0.5)
    return table[keep].drop(columns="focus")
