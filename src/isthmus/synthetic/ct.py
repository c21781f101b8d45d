"""A synthetic CT of a cohort: the grid around a lesion, and the files of a scan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image import Geometry, Image
from isthmus.image.io import write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.synthetic.fields import Axes
from isthmus.synthetic.readers import redrawn, second_file
from isthmus.synthetic.scanner import Scanner, scanner_grid

__all__ = ["grids", "soft", "write_scan"]

Coordinates = NDArray[np.float64]
Grid = tuple[Coordinates, Coordinates, Coordinates]

_BEYOND_MM = 4  # what a reconstruction kernel reaches outside its voxels


def soft(inside_mm: Any) -> Any:
    """From 0 to 1 over a millimetre at a border; `inside_mm` is the depth behind it."""
    return np.clip(inside_mm + 0.5, 0, 1)


def grids(scanner: Scanner, reach_mm: tuple[float, float, float]) -> tuple[Grid, Axes]:
    """Coordinates (z, y, x) of the scanner's voxels up to `reach_mm` from the middle, and the fine ones that patients are drawn on."""
    grid = [axis[np.abs(axis) <= reach] for axis, reach in zip(scanner_grid(scanner), reach_mm, strict=True)]
    fine = [
        np.arange(np.floor(axis[0]) - _BEYOND_MM, np.ceil(axis[-1]) + _BEYOND_MM + 1, dtype=np.float32) for axis in grid
    ]
    return (grid[0], grid[1], grid[2]), (fine[0], fine[1], fine[2])


def write_scan(
    folder: Path,
    name: str,
    scan: Any,
    facts: Mapping[str, Any],
    *,
    quantity: str = "HU",
    again: tuple[np.random.Generator, float] | None = None,
) -> tuple[str, str]:
    """`images/NAME.nii.gz` with `images/NAME.json` and `masks/NAME.nii.gz`.

    Parameters
    ----------
    scan : what `acquire` or `pet_scan` made
    facts : what the scanner says
    quantity : str
        "HU" or "SUV".
    again : (Generator, error in mm), optional
        A second reader draws the mask too (`redrawn`).

    Returns
    -------
    (str, str)
        Image and mask, relative to the folder.
    """
    geometry = Geometry(shape=scan.values.shape, spacing_mm=scan.spacing_mm, origin_mm=scan.origin_mm)
    image, mask = f"images/{name}.nii.gz", f"masks/{name}.nii.gz"
    write_image(Image(scan.values, geometry, quantity), folder / image)
    write_labels(LabelImage(scan.mask, geometry), folder / mask)
    if again is not None:
        reader, error_mm = again
        second = redrawn(scan.mask.astype(np.uint8), scan.spacing_mm, reader, error_mm=error_mm)
        write_labels(LabelImage(second, geometry), folder / second_file(mask))
    (folder / "images" / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return image, mask
