"""MetaImage (.mha, .mhd): grid and voxels from the bytes.

ITK hands back wrong voxels for damaged compressed data and only prints "Uncompress failed" (seen with SimpleITK 2.5.7), so they are
decompressed here, where length and checksum are known; of damaged headers it prints several lines of its own beside the error. Rare
layouts (text, one file per slice) are left to it.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.image.geometry import Geometry
from isthmus.image.io import simpleitk
from isthmus.image.io.checks import check_geometry, check_grid, read_beside
from isthmus.image.io.inflate import Bytes, inflated

__all__ = ["NAME", "SUFFIXES", "read", "write"]

N = TypeVar("N", int, float)

NAME = "MetaImage"
SUFFIXES = (".mha", ".mhd")

TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}

write = simpleitk.write


def read(path: Path, data: Bytes | None = None) -> tuple[NDArray[Any], Geometry, dict[str, Any]]:
    """Voxels as stored, their grid, and no further facts."""
    data = path.read_bytes() if data is None else data
    header, start = _header(data, path)
    shape = _shape(header, path)
    if _is_rare(header):
        return simpleitk.read(path)
    geometry = _geometry(header, shape, path)
    dtype = np.dtype(TYPES[header["ElementType"]]).newbyteorder(">" if _says(header, "MSB") else "<")
    count = math.prod(shape)
    stored = _stored(path, header, memoryview(data)[start:], count * dtype.itemsize)
    if len(stored) < count * dtype.itemsize:
        raise ImageReadError(
            f"{path}: truncated: {len(stored)} of {count * dtype.itemsize} bytes of voxels. Copy or export it again"
        )
    return np.frombuffer(stored, dtype=dtype, count=count).reshape(geometry.shape), geometry, {}


def _header(data: Bytes, path: Path) -> tuple[dict[str, str], int]:
    """The lines of the header, and where it ends."""
    text = bytes(data[:65536])
    end = re.search(rb"^ElementDataFile\s*=[^\n]*\n?", text, re.MULTILINE)
    if end is None:
        raise ImageReadError(f"{path}: not a MetaImage (no line 'ElementDataFile = ...' in its header), or truncated")
    lines = re.findall(r"^(\w+)[ \t]*=[ \t]*(.*?)\s*$", text[: end.end()].decode("latin-1"), re.MULTILINE)
    return dict(lines), end.end()


def _shape(header: dict[str, str], path: Path) -> tuple[int, ...]:
    """Voxels along the file's (i, j, k); spacing and type are checked on the way."""
    try:
        n_dims, shape = int(header["NDims"]), tuple(int(n) for n in header["DimSize"].split())
        spacing = [float(s) for s in header.get("ElementSpacing", header.get("ElementSize", "1")).split()]
        channels = int(header.get("ElementNumberOfChannels", 1))
    except (KeyError, ValueError) as error:
        raise ImageReadError(
            f"{path}: damaged header: NDims, DimSize and ElementSpacing must be numbers ({error})"
        ) from error
    if not all(np.isfinite(s) and s > 0 for s in spacing):
        raise ImageReadError(f"{path}: spacing {spacing} mm (i, j, k); each must be a number > 0. Correct the header")
    if channels != 1:
        raise ImageReadError(f"{path}: {channels} numbers per voxel (colours or vectors); one was expected")
    if len(shape) != n_dims or header.get("ElementType", "").removesuffix("_ARRAY") not in TYPES:
        raise ImageReadError(
            f"{path}: damaged header: NDims = {n_dims}, DimSize = {header['DimSize']}, "
            f"ElementType = {header.get('ElementType', 'missing')}"
        )
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    check_grid(shape if len(shape) != 2 else (*shape, 1), path)
    return shape


def _geometry(header: dict[str, str], shape: tuple[int, ...], path: Path) -> Geometry:
    """The grid; of a header that does not say how it lies, the axes are the patient's."""
    n = int(header["NDims"])
    spacing = _numbers(header, ("ElementSpacing", "ElementSize"), n, path) or [1.0] * n
    origin = _numbers(header, ("Offset", "Position", "Origin"), n, path) or [0.0] * n
    axes = np.eye(max(n, 3))  # a row for each of the file's axes; those beyond the third have length 1
    stated = _numbers(header, ("TransformMatrix", "Rotation", "Orientation"), n * n, path)
    if stated:
        axes[:n, :n] = np.reshape(stated, (n, n))
    geometry = Geometry(
        shape=_three((*shape, 1))[::-1],
        spacing_mm=_three((*spacing, 1.0))[::-1],
        origin_mm=_three((*origin, 0.0)),
        direction=axes[:3, :3].T[:, ::-1],
    )
    return check_geometry(geometry, path)


def _three(numbers: tuple[N, ...]) -> tuple[N, N, N]:
    return numbers[0], numbers[1], numbers[2]


def _numbers(header: dict[str, str], names: tuple[str, ...], count: int, path: Path) -> list[float]:
    """The numbers of the first of these keys that the header has; empty where it has none."""
    name = next((name for name in names if name in header), None)
    if name is None:
        return []
    try:
        found = [float(number) for number in header[name].split()]
    except ValueError as error:
        raise ImageReadError(f"{path}: damaged header: {name} must be numbers ({error})") from error
    if len(found) != count:
        raise ImageReadError(
            f"{path}: damaged header: {name} has {len(found)} numbers, and {count} were expected. Export the image again"
        )
    return found


def _says(header: dict[str, str], what: str) -> bool:
    """Is one of the yes-or-no keys that end so set?"""
    return any(value.lower() in ("true", "1") for key, value in header.items() if key.endswith(what))


def _is_rare(header: dict[str, str]) -> bool:
    """Text, a list of files, a part of a larger file."""
    name = header["ElementDataFile"]
    text = header.get("BinaryData", "True").lower() in ("false", "0")
    return text or name.upper().startswith("LIST") or "%" in name or header.get("HeaderSize", "0") != "0"


def _stored(path: Path, header: dict[str, str], rest: memoryview, size: int) -> Bytes:
    """The bytes of the voxels, decompressed; `rest` follows the header, `size` is how many there should be."""
    name = header["ElementDataFile"]
    data: Bytes = rest
    if name.upper() != "LOCAL":
        data = read_beside(path, name)
    return inflated(data, size, path) if _says(header, "CompressedData") else data
