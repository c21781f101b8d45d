"""`isthmus extract --save-images`: image, masks and response maps as NIfTI, as they were measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.features.measured import Measured
from isthmus.image import Geometry, Image, LabelImage
from isthmus.study.store import file_name

__all__ = ["save_images"]

_UNFILTERED = "original"


def save_images(seen: Measured, folder: Path, name: str) -> list[Path]:
    """Write `<name>_original.nii.gz`, `<name>_mask.nii.gz`, `<name>_intensity_mask.nii.gz` and `<name>_<label>.nii.gz` per response map.

    All cover the region's box and lie where it lay, in the number type features were computed in. A map that its filter could not
    make is left out; the warning about its features says why.
    """
    grid = seen.image.geometry
    written = [_write(folder, name, _UNFILTERED, seen.image.values, grid)]
    for kind, mask in (("mask", seen.mask), ("intensity_mask", seen.intensity_mask)):
        written.append(_write(folder, name, kind, mask.astype(np.uint8), grid))
    for response in seen.responses:
        if response.values is not None and response.label != _UNFILTERED:
            written.append(_write(folder, name, response.label, response.values, grid))
    return written


def _write(folder: Path, name: str, label: str, values: NDArray[Any], grid: Geometry) -> Path:
    from isthmus.image.io import write_image, write_labels

    path = folder / f"{file_name(name)}_{file_name(label)}.nii.gz"
    if values.dtype == np.uint8:
        write_labels(LabelImage(values, grid), path)
    else:
        write_image(Image(values, grid), path)
    return path
