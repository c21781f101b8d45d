"""PyRadiomics' gradient magnitude: ITK's central differences, the border value repeated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.filters._spec import Box, FilterSettings, widened
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "gradient"


class Settings(FilterSettings):
    """use_spacing: differences per mm; otherwise per voxel."""

    name: Literal["gradient"] = "gradient"
    use_spacing: bool = True


def labels(settings: Settings) -> tuple[str, ...]:
    return ("gradient",)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[Any]]:
    """One float32 map."""
    outer, inner = widened(box, (1, 1, 1), image.values.shape)
    values = image.values[outer].astype(np.float64)
    squares = np.zeros([part.stop - part.start for part in box])
    for axis in (2, 1, 0):  # the order of the sum is ITK's: x, y, z
        factor = 0.5 * (1.0 / image.geometry.spacing_mm[axis] if settings.use_spacing else 1.0)
        beside = [values[_neighbours(inner, axis, step, values.shape[axis])] for step in (1, -1)]
        difference = factor * beside[0]
        difference -= factor * beside[1]
        squares += np.square(difference, out=difference)
    yield np.sqrt(squares, out=squares).astype(np.float32)


def _neighbours(inner: Box, axis: int, step: int, size: int) -> tuple[slice | NDArray[np.intp], ...]:
    """The box one voxel on along an axis; beyond the border its last voxel again."""
    part = inner[axis]
    if part.start + step >= 0 and part.stop + step <= size:
        along: slice | NDArray[np.intp] = slice(part.start + step, part.stop + step)
    else:
        along = np.clip(np.arange(part.start, part.stop) + step, 0, size - 1)
    return tuple(along if a == axis else other for a, other in enumerate(inner))
