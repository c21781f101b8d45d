"""What every reader checks at the door: the file is there, its grid makes sense, its numbers keep their value."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.image.geometry import Geometry

__all__ = [
    "check_file",
    "check_geometry",
    "check_grid",
    "is_image_file",
    "narrower",
    "nearest_rotation",
    "read_beside",
    "widen",
]

SHEAR_TOLERANCE = 1e-4  # SimpleITK's own: largest cosine by which axes may miss orthogonality
LARGEST_SHEAR_DEG = 1.0
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
NO_DICOM = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", *PICTURES)


def check_file(path: Path) -> None:
    """The path exists and is not an empty file; if not, the message says what lies nearby."""
    if not path.exists():
        raise ImageReadError(f"{path}: no such file. {_nearby(path)}")
    if path.is_file() and path.stat().st_size == 0:
        raise ImageReadError(f"{path}: the file is empty (0 bytes). Copy or export it again")


def read_beside(path: Path, name: str) -> bytes:
    """The file that a header names for its voxels."""
    beside = path.parent / name
    try:
        return beside.read_bytes()
    except (OSError, ValueError) as error:  # no such file, a folder, or no name at all: too long, or with a zero byte
        shown = name if len(name) <= 80 else f"{name[:80]}..."
        raise ImageReadError(f"{path}: its voxels lie in {shown}, which is not beside it. Copy both files") from error


def is_image_file(path: Path) -> bool:
    """By its name an image or mask file, and no DICOM: its header need not be looked at."""
    return path.is_file() and path.name.lower().endswith(NO_DICOM)


def _nearby(path: Path) -> str:
    """What the user may have meant."""
    folder = path.parent
    if not folder.is_dir():
        while not folder.is_dir() and folder != folder.parent:
            folder = folder.parent
        return f"Its folder does not exist either; the nearest that does is {folder}. Is the root of the table right?"
    names = sorted(item.name for item in folder.iterdir())
    alike = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
    if alike:
        return f"Did you mean {' or '.join(alike)}, in the same folder?"
    return f"Its folder holds {len(names)} other entries" + (f" ({', '.join(names[:3])}, ...)" if names else "")


def check_grid(shape: tuple[int, ...], path: object) -> None:
    """Three dimensions, each at least one voxel; `shape` in the file's own order."""
    if len(shape) != 3:
        raise ImageReadError(
            f"{path}: {len(shape)}-D image of {' x '.join(map(str, shape))}; one 3-D volume was expected. "
            "Split time points, directions or echoes into files of their own"
        )
    if min(shape) < 1:
        raise ImageReadError(f"{path}: the header says {' x '.join(map(str, shape))} voxels; each must be at least 1")


def check_geometry(geometry: Geometry, path: object) -> Geometry:
    """Finite numbers, positive spacing, axes at right angles."""
    spacing = np.asarray(geometry.spacing_mm)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise ImageReadError(
            f"{path}: spacing {geometry.spacing_mm} mm (k, j, i); each must be a number > 0. Correct the header, or "
            "export the image again"
        )
    assert geometry.direction is not None
    if not (np.isfinite(geometry.origin_mm).all() and np.isfinite(geometry.direction).all()):
        raise ImageReadError(
            f"{path}: origin or direction is not a number. Correct the header, or export the image again"
        )
    error = np.abs(geometry.direction.T @ geometry.direction - np.eye(3)).max()
    if error > 10 * SHEAR_TOLERANCE:
        raise ImageReadError(
            f"{path}: the axes are not at right angles (cosine {error:.3g}). "
            "A tilted gantry? Resample the image onto a straight grid first"
        )
    return geometry


def nearest_rotation(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The rotation closest to a matrix with unit columns, and the largest angle between their columns in degrees."""
    left, _, right = np.linalg.svd(matrix)
    rotation = left @ right
    cosines = np.clip(np.einsum("ij,ij->j", rotation, matrix), -1, 1)
    return rotation, float(np.degrees(np.arccos(cosines)).max())


def widen(values: NDArray[Any], path: object) -> NDArray[Any]:
    """The same numbers as int16, int32, float32 or float64 in the machine's byte order; nothing is rounded."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind in "iu" and size <= 2:
        return values.astype(np.int16 if (kind == "i" or size == 1) else np.int32, copy=False)
    if kind in "iu":
        return _large_integers(values, path)
    if kind == "f" and size in (2, 4, 8):
        return values.astype(np.float64 if size == 8 else np.float32, copy=False)
    if kind == "b":
        return values.astype(np.int16)
    raise ImageReadError(f"{path}: voxels of type {values.dtype}; whole numbers or 32- or 64-bit floats were expected")


def narrower(kind: np.dtype[Any]) -> str:
    """The name of an integer type that `widen` gives more room; empty for the others."""
    return kind.newbyteorder("=").name if kind.kind == "u" or (kind.kind == "i" and kind.itemsize == 1) else ""


def _large_integers(values: NDArray[Any], path: object) -> NDArray[Any]:
    """32- and 64-bit integers: int32 where they fit, else float64 where that is exact."""
    if values.dtype.kind == "i" and values.dtype.itemsize == 4:
        return values.astype(np.int32, copy=False)
    low, high = int(values.min()), int(values.max())
    if low >= -(2**31) and high < 2**31:
        return values.astype(np.int32)
    if low >= -(2**53) and high <= 2**53:
        return values.astype(np.float64)
    raise ImageReadError(f"{path}: whole numbers from {low} to {high}; beyond 2^53 they cannot be kept exactly")
