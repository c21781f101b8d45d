"""Boxes of voxels: three slices (k, j, i)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus import _core

__all__ = ["Box", "bounding_box", "widened"]

Box = tuple[slice, slice, slice]


def bounding_box(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box that holds every voxel of a mask; None for an empty one."""
    low, high, found = _core.bounding_box(mask if mask.strides[2] == 1 else np.ascontiguousarray(mask))
    if not found:
        return None
    k, j, i = (slice(start, stop) for start, stop in zip(low, high, strict=True))
    return k, j, i


def widened(box: Box, margin: tuple[int, int, int], shape: tuple[int, ...]) -> tuple[Box, Box]:
    """The box with `margin` voxels more on every side, cut at the image's borders; and where the box lies inside it."""
    outer = tuple(
        slice(max(part.start - more, 0), min(part.stop + more, size))
        for part, more, size in zip(box, margin, shape, strict=True)
    )
    inner = tuple(slice(b.start - o.start, b.stop - o.start) for b, o in zip(box, outer, strict=True))
    return outer, inner  # type: ignore[return-value]
