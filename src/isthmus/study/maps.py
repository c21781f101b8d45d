"""`isthmus maps`: feature maps of one case as NIfTI files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from isthmus.errors import CaseError, PlanError
from isthmus.features.extract import image_of, mask_reading, roi_of
from isthmus.features.maps import feature_maps, kernel_and_settings, map_names, on_grid_of
from isthmus.image import Image
from isthmus.image.io import write_image
from isthmus.study.compute import worker_count
from isthmus.study.data import label_of
from isthmus.study.extract import key_value
from isthmus.study.store import make_folder

__all__ = ["write_maps"]


def write_maps(
    out: Path,
    *,
    image: Path,
    mask: Path,
    label: str | None = None,
    profile: str = "pyradiomics",
    params: Path | None = None,
    given: dict[str, Any] | None = None,
    settings: Sequence[str] = (),
    grid: Literal["image", "region"] = "image",
    workers: int = 0,
) -> Iterator[Path]:
    """Write one `<name>.nii.gz` per map, single precision, and yield its path.

    Raises
    ------
    PlanError
        A setting is unknown or has no meaning for maps, or `out` is a file.
    CaseError
        The case cannot be read or measured, or the maps need more memory than allowed.
    """
    if out.exists() and not out.is_dir():
        raise PlanError(f"--out {out} is a file; expected a folder, which gets one .nii.gz per map")
    chosen, kernel = kernel_and_settings(profile, {**(given or {}), **dict(map(key_value, settings))}, params)
    map_names(chosen)  # what is wrong with the settings is said before anything is read
    picture = image_of(image)
    roi = roi_of(mask, picture, label_of(label) if label is not None else chosen.label, mask_reading(chosen))
    make_folder(out)
    threads = worker_count(workers)
    for name, made in feature_maps(picture, roi, chosen, kernel, workers=threads):
        path = out / f"{name}.nii.gz"
        shown = on_grid_of(made, np.float32) if grid == "image" else _single(made.region)
        if np.isinf(shown.values).any():
            raise CaseError(f"{name}: values beyond {np.finfo(np.float32).max:.2g} do not fit a single-precision file")
        write_image(shown, path)
        yield path


def _single(image: Image) -> Image:
    with np.errstate(over="ignore"):
        return Image(image.values.astype(np.float32), image.geometry)
