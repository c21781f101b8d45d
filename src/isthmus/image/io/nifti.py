"""NIfTI, versions 1 and 2 (.nii, .nii.gz), read without a detour.

SimpleITK would be the obvious reader. It hands back garbage voxels for a file that was cut short, for a compressed
one even without a warning; it takes the spacing from `pixdim` where the sform says another, and turns a spacing of 0
into 1 (all seen with 2.5.7). So the header is read with nibabel, the geometry is judged here, and the voxels come
straight from the bytes, whose length and checksum are known. It costs no more time: decompression is nearly all of
it.
"""

from __future__ import annotations

import io
import math
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError, IsthmusWarning
from isthmus.image.geometry import Geometry
from isthmus.image.io.checks import (
    LARGEST_SHEAR_DEG,
    SHEAR_TOLERANCE,
    check_geometry,
    check_grid,
    nearest_rotation,
)
from isthmus.image.io.inflate import Bytes, gunzipped, is_gzip

__all__ = ["NAME", "SUFFIXES", "read", "write"]

NAME = "NIfTI"
SUFFIXES = (".nii", ".nii.gz")

MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # xyzt_units: unknown, metre, millimetre, micrometre
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
AGREE = 0.05  # of the smallest spacing: how far corners by sform and by qform may lie apart
COMPRESSION = 4
FIRST_VOXEL = 352  # where an unset vox_offset means


def read(path: Path, data: Bytes | None = None) -> tuple[NDArray[Any], Geometry, dict[str, Any]]:
    """Voxels as stored (scaled where the header says so), their grid, and facts worth keeping."""
    stored = path.read_bytes() if data is None else data
    data = gunzipped(stored, path) if is_gzip(stored) else stored
    header = _header(data, path)
    shape = _shape(header, path)
    values = _scaled(_voxels(data, header, shape, path), header)
    geometry, facts = _geometry(header, shape, path)
    return values, geometry, facts


def _nibabel() -> Any:
    """nibabel, imported when first needed (only partly typed)."""
    import nibabel

    return nibabel


def _header(data: Bytes, path: Path) -> Any:
    """The header, unchecked: the checks of nibabel repair or print, ours raise."""
    nibabel = _nibabel()
    kinds = (
        (nibabel.Nifti1Header, 348, slice(344, 348), b"n+1\0"),
        (nibabel.Nifti2Header, 540, slice(4, 12), b"n+2\0\r\n\x1a\n"),
    )
    for kind, size, where, magic in kinds:
        if data[where] == magic and len(data) >= size:
            return kind.from_fileobj(io.BytesIO(data[:size]), check=False)
    if len(data) < 348 and int.from_bytes(data[:4], "little") == 348:
        raise ImageReadError(
            f"{path}: {len(data)} bytes, not even a whole NIfTI header (348): truncated. Copy or export it again"
        )
    raise ImageReadError(f"{path}: not a NIfTI image, whatever its name says (no 'n+1' or 'n+2' in its header)")


def _shape(header: Any, path: Path) -> tuple[int, int, int]:
    """Voxels along the file's (i, j, k); trailing dimensions of 1 are dropped, a single slice has k = 1."""
    shape = tuple(int(n) for n in header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) == 2:
        shape = (*shape, 1)
    check_grid(shape, path)
    return shape  # type: ignore[return-value]


def _voxels(data: Bytes, header: Any, shape: tuple[int, int, int], path: Path) -> NDArray[Any]:
    """The stored numbers, shape (k, j, i), without a copy."""
    from nibabel.spatialimages import HeaderDataError

    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise ImageReadError(f"{path}: voxels of an unknown type ({error}): a damaged header?") from error
    if dtype.kind not in "iuf":
        raise ImageReadError(
            f"{path}: voxels are {dtype.name if dtype.fields is None else 'colours (RGB)'}; "
            "one whole number or float per voxel was expected"
        )
    offset, count = float(header["vox_offset"]), math.prod(shape)
    if not (np.isfinite(offset) and (offset == 0 or offset >= 348)):
        raise ImageReadError(f"{path}: damaged header: voxels start at byte {offset:g}; export the image again")
    start = int(offset) or FIRST_VOXEL
    needed = count * dtype.itemsize
    if len(data) - start < needed:
        raise ImageReadError(
            f"{path}: truncated: {max(len(data) - start, 0)} of {needed} bytes of voxels "
            f"({' x '.join(map(str, shape))} of {dtype.name}). Copy or export it again"
        )
    return np.frombuffer(data, dtype=dtype, count=count, offset=start).reshape(shape[::-1])


def _scaled(values: NDArray[Any], header: Any) -> NDArray[Any]:
    """Slope and intercept applied, computed in double and kept as float32 (float64 for wide types), as ITK does."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0:  # "not set", by the standard
        return values
    intercept = intercept if np.isfinite(intercept) else 0.0
    if slope == 1 and intercept == 0:
        return values
    wide = values.dtype.itemsize > 4 or (values.dtype.kind in "iu" and values.dtype.itemsize == 4)
    return (values.astype(np.float64) * slope + intercept).astype(np.float64 if wide else np.float32, copy=False)


def _geometry(header: Any, shape: tuple[int, int, int], path: Path) -> tuple[Geometry, dict[str, Any]]:
    """The grid by sform, else by qform, else by spacing alone; both must agree where both are given."""
    pixdim = np.asarray(header["pixdim"], dtype=np.float64)
    _check_spacing(pixdim[1:4] if shape[2] > 1 else pixdim[1:3], path)
    if pixdim[3] <= 0 or not np.isfinite(pixdim[3]):
        header["pixdim"][3] = 1.0  # one slice: nothing to measure
    if pixdim[0] not in (-1, 1):
        header["pixdim"][0] = 1.0  # the standard's reading of an unset qfac
    sform = np.asarray(header.get_sform(), dtype=np.float64) if int(header["sform_code"]) > 0 else None
    qform = _qform(header, path) if int(header["qform_code"]) > 0 else None
    if sform is not None:
        _check_sform(sform, pixdim, shape, path)
    if sform is not None and qform is not None:
        _check_agreement(sform, qform, shape, path)
    affine = sform if sform is not None else qform
    if affine is None:
        warnings.warn(
            f"{path}: the header does not say how the volume lies in the patient (sform and qform unset); "
            "its axes are taken as the patient's, as ITK does",
            IsthmusWarning,
            stacklevel=2,
        )
        affine = RAS_TO_LPS @ np.diag([*np.asarray(header["pixdim"][1:4], dtype=np.float64), 1.0])
    affine = RAS_TO_LPS @ affine
    affine[:3] *= MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, 1.0)
    return _from_affine(affine, shape, path)


def _check_spacing(spacing: NDArray[np.float64], path: Path) -> None:
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise ImageReadError(
            f"{path}: spacing {spacing.tolist()} mm (i, j, k) in the header; each must be a number > 0. "
            "Correct the header, or export the image again"
        )


def _qform(header: Any, path: Path) -> NDArray[np.float64]:
    from nibabel.spatialimages import HeaderDataError

    try:
        qform = np.asarray(header.get_qform(), dtype=np.float64)
    except (HeaderDataError, ValueError) as error:
        raise ImageReadError(
            f"{path}: the header's qform is not a rotation ({error}). Export the image again"
        ) from error
    if not np.isfinite(qform).all():
        raise ImageReadError(f"{path}: the header's qform holds numbers that are none. Export the image again")
    return qform


def _check_sform(
    sform: NDArray[np.float64], pixdim: NDArray[np.float64], shape: tuple[int, int, int], path: Path
) -> None:
    """The sform's columns must have a length, and the one that pixdim states."""
    if not np.isfinite(sform).all():
        raise ImageReadError(f"{path}: the header's sform holds numbers that are none. Export the image again")
    lengths = np.linalg.norm(sform[:3, :3], axis=0)
    _check_spacing(lengths, path)
    for axis in range(3):
        if shape[axis] > 1 and abs(lengths[axis] - pixdim[1 + axis]) > 0.01 * lengths[axis]:
            raise ImageReadError(
                f"{path}: the header contradicts itself: spacing {np.round(lengths, 4).tolist()} mm (i, j, k) by the "
                "sform, "
                f"{np.round(pixdim[1:4], 4).tolist()} by pixdim. Find out which is right and write the image again"
            )


def _check_agreement(
    sform: NDArray[np.float64], qform: NDArray[np.float64], shape: tuple[int, int, int], path: Path
) -> None:
    """Both forms must put every corner voxel at one place."""
    corners = np.array([[i, j, k, 1.0] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners[:, :3] *= np.asarray(shape) - 1
    apart = np.linalg.norm((corners @ (sform - qform).T)[:, :3], axis=1).max()
    if apart > AGREE * np.linalg.norm(sform[:3, :3], axis=0).min():
        raise ImageReadError(
            f"{path}: sform and qform disagree, corners up to {apart:.4g} mm apart: "
            f"sform {np.round(sform[:3], 4).tolist()}, qform {np.round(qform[:3], 4).tolist()}. "
            "Find out which is right, set the other's code to 0, and write the image again"
        )


def _from_affine(
    affine: NDArray[np.float64], shape: tuple[int, int, int], path: Path
) -> tuple[Geometry, dict[str, Any]]:
    """The grid of an LPS affine over (i, j, k); a slightly sheared one is straightened, and that is said."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    columns = affine[:3, :3] / spacing
    rotation, angle = nearest_rotation(columns)
    facts: dict[str, Any] = {}
    if angle > LARGEST_SHEAR_DEG:
        raise ImageReadError(
            f"{path}: the axes are sheared by {angle:.2f} degrees. A tilted gantry? Resample the image onto a "
            "straight grid first"
        )
    if np.abs(columns.T @ columns - np.eye(3)).max() > SHEAR_TOLERANCE:
        facts["sform_shear_deg"] = round(angle, 6)
        warnings.warn(
            f"{path}: the axes are sheared by {angle:.3g} degrees; the nearest rotation was taken",
            IsthmusWarning,
            stacklevel=2,
        )
    geometry = Geometry(
        shape=shape[::-1],
        spacing_mm=tuple(spacing[::-1].tolist()),
        origin_mm=tuple(affine[:3, 3].tolist()),
        direction=rotation[:, ::-1],
    )
    return check_geometry(geometry, path), facts


def write(values: NDArray[Any], geometry: Geometry, path: Path) -> None:
    """Write voxels and grid; the same input gives the same bytes."""
    affine = geometry.affine[:, [2, 1, 0, 3]]
    affine = RAS_TO_LPS @ affine
    header = _nibabel().Nifti1Header()
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape[::-1])
    header.set_xyzt_units("mm")
    header.set_sform(affine, code=1)
    header.set_qform(affine, code=1)
    header["vox_offset"] = FIRST_VOXEL
    header["magic"] = b"n+1"
    stored = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    data = b"".join((header.as_byteswapped("<").binaryblock, bytes(4), stored.tobytes()))
    if path.name.endswith(".gz"):
        data = _compressed(data)
    path.write_bytes(data)


def _compressed(data: bytes) -> bytes:
    """A gzip without name and time."""
    deflate = zlib.compressobj(COMPRESSION, zlib.DEFLATED, 31)
    return deflate.compress(data) + deflate.flush()
