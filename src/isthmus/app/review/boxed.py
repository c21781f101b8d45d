"""A mask on its way between page and server: only the box that holds it, and where the box lies.

A mask of 512 x 512 x 300 voxels is 79 MB, the lesion in it perhaps 100 kB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.app.refusal import Refusal
from isthmus.image.box import bounding_box

__all__ = ["BOX", "pack", "unpack"]

BOX = "X-Isthmus-Box"
"""Header: six numbers, x0,x1,y0,y1,z0,z1, half open; all zero for an empty mask."""


def pack(view: NDArray[np.uint8]) -> tuple[bytes, str]:
    """The voxels of the box (z, y, x; x fastest) and the header that says where it lies."""
    box = bounding_box(view > 0)
    if box is None:
        return b"", "0,0,0,0,0,0"
    z, y, x = box
    return view[box].tobytes(), ",".join(str(n) for part in (x, y, z) for n in (part.start, part.stop))


def unpack(body: bytes, header: str, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The whole mask, shape (z, y, x), 0 outside the box.

    Raises
    ------
    Refusal
        422: the header is no box of this image, or the bytes are not its voxels: a mask of another image.
    """
    try:
        x0, x1, y0, y1, z0, z1 = (int(part) for part in header.split(","))
    except ValueError:
        raise _other(f"the box {header!r}", "x0,x1,y0,y1,z0,z1") from None
    size = (z1 - z0, y1 - y0, x1 - x0)
    starts, stops = (z0, y0, x0), (z1, y1, x1)
    if any(start < 0 or stop > n or stop < start for start, stop, n in zip(starts, stops, shape, strict=True)):
        raise _other(f"a box {starts} to {stops}", f"one inside {shape} voxels (z, y, x)")
    if len(body) != size[0] * size[1] * size[2]:
        raise _other(f"{len(body)} bytes for a box of {size} voxels", "one byte a voxel")
    whole: NDArray[Any] = np.zeros(shape, dtype=np.uint8)
    if body:
        whole[z0:z1, y0:y1, x0:x1] = np.frombuffer(body, dtype=np.uint8).reshape(size)
    return whole


def _other(what: str, expected: str) -> Refusal:
    return Refusal(what, expected, "the mask belongs to another image; reload the page", status=422)
