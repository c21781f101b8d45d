"""Masks as files: saved beside the others under a new number, never over one that is there."""

from __future__ import annotations

import io
import os
import secrets
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.app.review.volumes import Opened, nifti_header
from isthmus.image.io import write_labels
from isthmus.image.labels import LabelImage

__all__ = ["replace_file", "save_version", "write_mask"]

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
FIRST_VOXEL = 352


def write_mask(labels: NDArray[np.uint8], opened: Opened, path: Path) -> None:
    """Write a label map on the grid of its image.

    A NIfTI takes every field that says where the voxels lie from the image's own header where that is a NIfTI, so both place every
    voxel at the same number, to the last bit.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        from PIL import Image as Pillow

        Pillow.fromarray(labels[0]).save(path)
    elif path.name.endswith(".nii.gz") and opened.case.image.name.lower().endswith((".nii", ".nii.gz")):
        path.write_bytes(_like(labels, opened.case.image))
    else:
        write_labels(LabelImage(labels, opened.geometry), path)


def _like(labels: NDArray[np.uint8], image: Path) -> bytes:
    """A compressed NIfTI of these labels with the image's geometry, without name and time."""
    import nibabel

    source: Any = nibabel.load(image).header
    header: Any = nifti_header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(labels.shape[::-1])
    header["pixdim"][:4] = source["pixdim"][:4]
    fields = (
        "sform_code", "qform_code", "srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y",
        "qoffset_z", "xyzt_units",
    )  # fmt: skip
    for name in fields:
        header[name] = source[name]
    header["vox_offset"] = FIRST_VOXEL
    header["magic"] = b"n+1"
    out = io.BytesIO()
    out.write(header.as_byteswapped("<").binaryblock + bytes(4))
    out.write(np.ascontiguousarray(labels).data)
    deflate = zlib.compressobj(4, zlib.DEFLATED, 31)
    return deflate.compress(out.getvalue()) + deflate.flush()


def save_version(labels: NDArray[np.uint8], opened: Opened, folder: Path, prefix: str) -> Path:
    """Save a label map under the next free number of a folder; a file that is there is never written to."""
    folder.mkdir(parents=True, exist_ok=True)
    ending = ".png" if opened.case.image.suffix.lower() in PICTURES else ".nii.gz"
    being_written = folder / f".{secrets.token_hex(8)}{ending}"
    write_mask(labels, opened, being_written)
    with being_written.open("rb+") as file:
        os.fsync(file.fileno())
    try:
        number = 1 + sum(1 for _ in folder.glob(f"{prefix}-v*{ending}"))
        while True:
            path = folder / f"{prefix}-v{number:04d}{ending}"
            try:
                with path.open("xb"):  # ours now, or somebody's already
                    pass
            except FileExistsError:
                number += 1
                continue
            os.replace(being_written, path)
            return path
    finally:
        being_written.unlink(missing_ok=True)


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in the place of another, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    being_written = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with being_written.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(being_written, path)
    finally:
        being_written.unlink(missing_ok=True)
