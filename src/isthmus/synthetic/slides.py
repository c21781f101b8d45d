"""Stained slides whose nuclei are known: positions, classes, sizes, haematoxylin; tiled TIFF of any size, written tile by tile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import missing_extra
from isthmus.pathology.stain import BACKGROUND, RUIFROK

__all__ = ["SlidePlan", "nuclei_of", "paint", "write_slide"]

_TILE = 256
_LARGEST_UM = 8.0


@dataclass(frozen=True)
class SlidePlan:
    """What a slide shows.

    Parameters
    ----------
    rows, columns : int
    mpp : float
    spacing_um : float
        Of the lattice that nuclei are moved away from: about one nucleus a square of that side.
    tumour : float
        Share of the nuclei that are large ("neoplastic"); the others are small ("inflammatory").
    heterogeneity : float
        Coefficient of variation of the tumour nuclei's size and stain: what a study may plant.
    margin_um : float
        Of glass around the tissue.
    seed : int
    """

    rows: int = 1536
    columns: int = 2048
    mpp: float = 0.5
    spacing_um: float = 20.0
    tumour: float = 0.6
    heterogeneity: float = 0.15
    margin_um: float = 60.0
    seed: int = 1


def nuclei_of(plan: SlidePlan) -> pd.DataFrame:
    """The truth: `x_um, y_um, class, major_um, minor_um` (half axes), `angle, haematoxylin`, row by row."""
    cells = [_row_of_nuclei(plan, row) for row in range(_lattice(plan)[0])]
    return pd.concat(cells, ignore_index=True)


def paint(plan: SlidePlan, top: int, left: int, rows: int, columns: int) -> NDArray[np.uint8]:
    """Any rectangle of the slide; what is in it does not depend on the rectangle."""
    haematoxylin, eosin = np.zeros((rows, columns)), np.zeros((rows, columns))
    y, x = ((np.arange(first, first + count) + 0.5) * plan.mpp for first, count in ((top, rows), (left, columns)))
    height, width = plan.rows * plan.mpp, plan.columns * plan.mpp
    tissue = np.outer(
        (y > plan.margin_um) & (y < height - plan.margin_um), (x > plan.margin_um) & (x < width - plan.margin_um)
    )
    waves = np.sin(y / 9.0)[:, None] * np.cos(x / 13.0)[None, :]
    eosin[tissue] = (0.35 + 0.08 * waves)[tissue]
    haematoxylin[tissue] = 0.12
    first = max(0, int((y[0] - _LARGEST_UM) / plan.spacing_um) - 1)
    last = min(_lattice(plan)[0] - 1, int((y[-1] + _LARGEST_UM) / plan.spacing_um) + 1)
    for row in range(first, last + 1):
        shapes = _row_of_nuclei(plan, row)[["x_um", "y_um", "major_um", "minor_um", "angle", "haematoxylin"]].to_numpy(
            float
        )
        for x0, y0, major, minor, angle, stain in shapes:
            reach = _LARGEST_UM + 1
            j = slice(*np.searchsorted(y, [y0 - reach, y0 + reach]))
            i = slice(*np.searchsorted(x, [x0 - reach, x0 + reach]))
            if j.start == j.stop or i.start == i.stop:
                continue
            dy, dx = y[j, None] - y0, x[None, i] - x0
            u = (dx * np.cos(angle) + dy * np.sin(angle)) / major
            v = (dy * np.cos(angle) - dx * np.sin(angle)) / minor
            body = 1 / (1 + np.exp(np.clip((np.sqrt(u * u + v * v) - 1) * 12, -50, 50)))
            haematoxylin[j, i] = np.maximum(haematoxylin[j, i], stain * body)
    density = haematoxylin[..., None] * RUIFROK.vectors[:, 0] + eosin[..., None] * RUIFROK.vectors[:, 1]
    return np.clip(np.rint(BACKGROUND * np.exp(-density)), 0, 255).astype(np.uint8)


def write_slide(path: Path, plan: SlidePlan) -> pd.DataFrame:
    """Write the slide as a tiled TIFF that says its micrometres per pixel; memory is that of one row of tiles. Returns the truth.

    Raises
    ------
    PlanError
        tifffile is not installed (extra `pathology`).
    """
    try:
        import tifffile
    except ImportError as exc:
        raise missing_extra("writing slides", "tifffile", "pathology") from exc

    def tiles() -> Iterator[NDArray[np.uint8]]:
        for top in range(0, plan.rows, _TILE):
            band = paint(plan, top, 0, _TILE, -(-plan.columns // _TILE) * _TILE)
            for left in range(0, plan.columns, _TILE):
                yield np.ascontiguousarray(band[:, left : left + _TILE])

    per_cm = 1e4 / plan.mpp
    tifffile.imwrite(
        path, tiles(), shape=(plan.rows, plan.columns, 3), dtype=np.uint8, tile=(_TILE, _TILE), photometric="rgb", compression="zlib",
        resolution=(per_cm, per_cm), resolutionunit="CENTIMETER", metadata=None, bigtiff=plan.rows * plan.columns > 10**9,
    )  # fmt: skip
    return nuclei_of(plan)


def _lattice(plan: SlidePlan) -> tuple[int, int]:
    return int(plan.rows * plan.mpp / plan.spacing_um), int(plan.columns * plan.mpp / plan.spacing_um)


def _row_of_nuclei(plan: SlidePlan, row: int) -> pd.DataFrame:
    """Each row of the lattice has its own generator: a rectangle needs only the rows near it."""
    draw = np.random.default_rng([plan.seed, row])
    count = _lattice(plan)[1]
    jitter = plan.spacing_um * 0.2
    x = (np.arange(count) + 0.5) * plan.spacing_um + draw.uniform(-jitter, jitter, count)
    y = (row + 0.5) * plan.spacing_um + draw.uniform(-jitter, jitter, count)
    tumour = draw.random(count) < plan.tumour
    spread = np.where(tumour, plan.heterogeneity, 0.05)
    size = np.where(tumour, 5.0, 3.0) * np.clip(1 + spread * draw.standard_normal(count), 0.6, 1.4)
    ratio = np.where(tumour, draw.uniform(0.65, 0.95, count), draw.uniform(0.85, 1.0, count))
    stain = np.where(tumour, 1.3, 1.9) * np.clip(1 + spread * draw.standard_normal(count), 0.6, 1.4)
    table = pd.DataFrame(
        {
            "x_um": x,
            "y_um": y,
            "class": np.where(tumour, "neoplastic", "inflammatory"),
            "major_um": size,
            "minor_um": size * ratio,
            "angle": draw.uniform(0, np.pi, count),
            "haematoxylin": stain,
        }
    )
    edge = plan.margin_um + _LARGEST_UM
    inside = (x > edge) & (x < plan.columns * plan.mpp - edge) & (y > edge) & (y < plan.rows * plan.mpp - edge)
    return table[inside]
