"""NRRD (.nrrd, .nhdr): the usual layout from its bytes, the rest through SimpleITK.

The usual layout is one volume of whole numbers or floats, raw or gzip, in LPS or RAS, its voxels in the file itself or in one file
beside it: what 3D Slicer, ITK and PyRadiomics write. Read here it takes half the time, and its length and checksum are known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.image.geometry import Geometry
from isthmus.image.io import simpleitk
from isthmus.image.io.checks import check_geometry, check_grid, read_beside
from isthmus.image.io.inflate import Bytes, gunzipped

__all__ = ["NAME", "SUFFIXES", "read", "write"]

NAME = "NRRD"
SUFFIXES = (".nrrd", ".nhdr")

# the format's own spellings of one type
_SPELLINGS = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "f4": "float",
    "f8": "double",
}
TYPES: Mapping[str, str] = MappingProxyType(
    {name: kind for kind, names in _SPELLINGS.items() for name in names.split(", ")}
)
TO_LPS: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {
        "left-posterior-superior": (1, 1, 1),
        "lps": (1, 1, 1),
        "right-anterior-superior": (-1, -1, 1),
        "ras": (-1, -1, 1),
    }
)
# fmt: off
PLAIN = frozenset((
    "type", "dimension", "space", "sizes", "space directions", "kinds", "endian", "encoding", "space origin", "data file", "datafile",
))
HARMLESS = frozenset((  # they say nothing about where and how the voxels lie
    "content", "space units", "units", "labels", "thicknesses", "number", "min", "max", "old min", "old max",
))
# fmt: on

write = simpleitk.write


def read(path: Path, data: Bytes | None = None) -> tuple[NDArray[Any], Geometry, dict[str, Any]]:
    """Voxels as stored, their grid, and no further facts."""
    data = path.read_bytes() if data is None else data
    fields, start = _header(data)
    if not _is_usual(fields):
        return simpleitk.read(path)
    shape = tuple(int(n) for n in fields["sizes"].split())
    check_grid(shape, path)
    geometry = _geometry(fields, shape, path)
    dtype = np.dtype(TYPES[fields["type"].lower()]).newbyteorder(">" if fields.get("endian") == "big" else "<")
    needed = math.prod(shape) * dtype.itemsize
    stored: Bytes = read_beside(path, _detached(fields)) if _detached(fields) else memoryview(data)[start:]
    if fields["encoding"].lower() != "raw":
        stored = gunzipped(stored, path)
    if len(stored) < needed:
        raise ImageReadError(
            f"{path}: truncated: {len(stored)} of {needed} bytes of voxels ({' x '.join(map(str, shape))} of "
            f"{dtype.name}). Copy or export it again"
        )
    values = np.frombuffer(stored, dtype=dtype, count=math.prod(shape)).reshape(shape[::-1])
    return values, geometry, {}


def _header(data: Bytes) -> tuple[dict[str, str], int]:
    """The fields, their names in small letters, and where the header ends; none where this is no NRRD."""
    start = bytes(data[:65536])
    if not start.startswith(b"NRRD000"):
        return {}, 0
    end = re.search(rb"\r?\n\r?\n", start)
    lines = start[: end.start() if end else None].decode("latin-1").splitlines()[1:]
    fields = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        if colon and not line.startswith("#") and ":=" not in line:
            fields[name.strip().lower()] = value.strip()
    return fields, end.end() if end else len(data)


def _is_usual(fields: dict[str, str]) -> bool:
    """Is this the layout read here? Everything unusual, damaged headers included, is judged by SimpleITK."""
    kinds = set(fields.get("kinds", "domain").lower().split())
    return (
        fields.keys() <= PLAIN | HARMLESS
        and fields.keys() >= {"type", "dimension", "space", "sizes", "space directions", "space origin", "encoding"}
        and fields["type"].lower() in TYPES
        and fields["dimension"] == "3"
        and re.fullmatch(r"\d{1,9}( +\d{1,9}){2}", fields["sizes"]) is not None
        and fields["space"].lower() in TO_LPS
        and kinds <= {"domain", "space"}
        and fields["encoding"].lower() in ("raw", "gzip", "gz")
        and fields.get("endian", "little") in ("little", "big")
        and ("endian" in fields or TYPES[fields["type"].lower()][1] == "1")
        and len(_vectors(fields["space directions"])) == 3
        and len(_vectors(fields["space origin"])) == 1
        and (not _detached(fields) or re.search(r"LIST|%|^skip", _detached(fields)) is None)
    )


def _detached(fields: dict[str, str]) -> str:
    """The file that holds the voxels; empty where they follow the header."""
    return fields.get("data file", fields.get("datafile", ""))


def _vectors(text: str) -> list[list[float]]:
    """`(1,0,0) (0,1,0)` as numbers; empty where anything else stands there."""
    inner = re.findall(r"\(([^()]*)\)", text)
    try:
        vectors = [[float(number) for number in part.split(",")] for part in inner]
    except ValueError:
        return []
    rest = re.sub(r"\([^()]*\)", "", text).strip()
    return vectors if not rest and all(len(vector) == 3 for vector in vectors) else []


def _geometry(fields: dict[str, str], shape: tuple[int, ...], path: Path) -> Geometry:
    """The grid, in LPS."""
    flip = np.array(TO_LPS[fields["space"].lower()], dtype=np.float64)
    directions = np.array(_vectors(fields["space directions"])) * flip  # row n: the step along the file's axis n
    spacing = np.linalg.norm(directions, axis=1)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        what = "a spacing of 0 mm" if (spacing == 0).any() else f"spacing {spacing.tolist()} mm (i, j, k)"
        raise ImageReadError(f"{path}: {what}; each must be > 0. Correct the header, or export the image again")
    geometry = Geometry(
        shape=shape[::-1],  # type: ignore[arg-type]
        spacing_mm=tuple(spacing[::-1].tolist()),
        origin_mm=tuple((np.array(_vectors(fields["space origin"])[0]) * flip).tolist()),
        direction=(directions / spacing[:, None])[::-1].T,
    )
    return check_geometry(geometry, path)
