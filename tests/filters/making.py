"""Images to filter, and the other libraries' answers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import SimpleITK

from isthmus.filters import filter_labels, parse_filter, response_maps
from isthmus.image import Geometry, Image

TYPES = (np.int16, np.int32, np.float32, np.float64)
SPACING = (2.5, 0.9, 1.1)


def noise(
    shape: tuple[int, int, int], dtype: Any, spacing: tuple[float, float, float] = SPACING, seed: int = 0
) -> Image:
    values = np.random.default_rng(seed).normal(0, 300, shape).astype(dtype)
    return Image(values, Geometry(shape, spacing))


def whole(image: Image) -> tuple[slice, slice, slice]:
    return tuple(slice(0, size) for size in image.values.shape)  # type: ignore[return-value]


def boxes(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice, slice]]:
    """The whole image, and boxes in the middle and at both ends of every axis."""
    parts = [(slice(0, 2), slice(size // 3, size // 3 + 3), slice(size - 3, size), slice(0, size)) for size in shape]
    yield from itertools.product(*parts)


def maps(image: Image, box: tuple[slice, slice, slice], given: Any) -> dict[str, np.ndarray]:
    """Response maps by label."""
    settings = parse_filter(given)
    return dict(zip(filter_labels(settings), response_maps(image, box, settings), strict=True))


def to_sitk(image: Image) -> SimpleITK.Image:
    answer = SimpleITK.GetImageFromArray(np.ascontiguousarray(image.values))
    answer.SetSpacing([float(s) for s in image.geometry.spacing_mm[::-1]])
    return answer


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Type, shape and every bit agree."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def impulse(shape: tuple[int, int, int], spacing: tuple[float, float, float] = (1, 1, 1)) -> Image:
    """One voxel of one in the middle of zeros."""
    values = np.zeros(shape)
    values[tuple(size // 2 for size in shape)] = 1
    return Image(values, Geometry(shape, spacing))


def constant(value: float, shape: tuple[int, int, int] = (7, 8, 9)) -> Image:
    return Image(np.full(shape, value), Geometry(shape, SPACING))


def only(image: Image, given: Any) -> np.ndarray:
    """The one response map of a filter, of the whole image."""
    (response,) = maps(image, whole(image), given).values()
    return response


def label(given: Any) -> str:
    (answer,) = filter_labels(parse_filter(given))
    return answer
