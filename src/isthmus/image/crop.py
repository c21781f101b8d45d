"""The largest slice of a lesion, cut out with some of what surrounds it: what a picture of it needs, in a few kilobytes."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image.geometry import Geometry
from isthmus.image.image import Image

__all__ = [
    "MOST",
    "Crop",
    "grey_png",
    "label_png",
    "labels_over",
    "lesion_crop",
    "mask_png",
    "read_grey_png",
    "read_label_png",
    "read_mask_png",
    "whole_slice",
]

MOST = 96
"""Pixels along a side; larger crops are averaged down by a whole number."""

_MARGIN, _LEAST_MM = 1.7, 24.0
_FULL = 65535


@dataclass(frozen=True, eq=False)
class Crop:
    """A piece of one slice.

    Parameters
    ----------
    values : float64 array (j, i)
    mask : bool array (j, i)
    spacing_mm : (float, float)
        Of its pixels along j and i.
    slice : int
        k in the image.
    start : (int, int)
        j and i in the image of its first pixel.
    factor : int
        Pixels of the image along a side of one of its own.
    """

    values: NDArray[np.float64]
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float]
    slice: int
    start: tuple[int, int] = (0, 0)
    factor: int = 1


def lesion_crop(
    image: Image, mask: NDArray[np.bool_], most: int = MOST, *, margin: float = _MARGIN, least_mm: float = _LEAST_MM
) -> Crop:
    """The slice in which the lesion is largest (the first of equals), cut to a square around it, `margin` times its extent and at least
    `least_mm`; less where the image ends.

    Parameters
    ----------
    image : Image
    mask : bool array, shape (k, j, i)
        At least one voxel.
    most : int
        Pixels along a side that are kept; a pixel of the mask that was averaged is one of the lesion where half of it was.
    """
    k = int(np.argmax(mask.sum(axis=(1, 2))))
    inside = mask[k]
    spacing = image.geometry.spacing_mm[1:]
    extents = [np.flatnonzero(inside.any(axis=1 - axis)) for axis in (0, 1)]
    length = max((found[-1] - found[0] + 1) * mm for found, mm in zip(extents, spacing, strict=True))
    side = max(margin * length, least_mm)
    j, i = (
        _window((found[0] + found[-1] + 1) / 2, int(np.ceil(side / mm)), size)
        for found, mm, size in zip(extents, spacing, inside.shape, strict=True)
    )
    return _crop(image, mask, k, (j, i), most)


def whole_slice(image: Image, mask: NDArray[np.bool_], most: int = MOST) -> Crop:
    """All of the slice in which the lesion is largest."""
    k = int(np.argmax(mask.sum(axis=(1, 2))))
    return _crop(image, mask, k, (slice(0, mask.shape[1]), slice(0, mask.shape[2])), most)


def _crop(image: Image, mask: NDArray[np.bool_], k: int, window: tuple[slice, slice], most: int) -> Crop:
    plane, inside = image.values[k][window].astype(np.float64), mask[k][window]
    spacing = image.geometry.spacing_mm[1:]
    factor = -(-max(plane.shape) // most)
    if factor > 1:
        plane, inside = _averaged(plane, factor), _averaged(inside.astype(np.float64), factor) >= 0.5
    start = (window[0].start, window[1].start)
    return Crop(plane, inside, (spacing[0] * factor, spacing[1] * factor), k, start, factor)


def labels_over(
    crop: Crop, geometry: Geometry, labels: NDArray[np.int32], own: Geometry, most: int = 512
) -> NDArray[np.int32]:
    """A label map that lies on a grid of its own, as it is in the plane of a crop: an array that covers the same rectangle.

    Parameters
    ----------
    crop : Crop
    geometry : Geometry
        Of the image that the crop was cut from.
    labels : int32 array, shape (k, j, i)
    own : Geometry
        Of the labels.
    most : int
        Pixels along a side. They are as fine as the labels, and no coarser than the crop's.
    """
    pixel = min(own.spacing_mm[1:])
    lines = []
    for size, start, mm in zip(crop.values.shape, crop.start, crop.spacing_mm, strict=True):
        count = max(size, min(most, int(np.ceil(size * mm / pixel))))
        lines.append(start - 0.5 + (np.arange(count) + 0.5) / count * size * crop.factor)
    j, i = lines
    there = np.linalg.inv(own.affine) @ geometry.affine
    at = [
        there[axis, 0] * crop.slice + there[axis, 1] * j[:, None] + there[axis, 2] * i + there[axis, 3]
        for axis in range(3)
    ]
    # half-way between two voxels the first, whatever the last bit says
    index = [np.ceil(place - 0.5 - 1e-6).astype(np.int64) for place in at]
    inside = np.logical_and.reduce(
        [(place >= 0) & (place < size) for place, size in zip(index, labels.shape, strict=True)]
    )
    clipped = tuple(np.clip(place, 0, size - 1) for place, size in zip(index, labels.shape, strict=True))
    return np.where(inside, labels[clipped], 0).astype(np.int32)


def _window(middle: float, wide: int, size: int) -> slice:
    """`wide` places around the middle, moved inside where it would reach beyond."""
    wide = min(wide, size)
    start = min(max(round(middle - wide / 2), 0), size - wide)
    return slice(start, start + wide)


def _averaged(values: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    """Means of squares of `factor` pixels; the last ones of what is left."""
    tall, wide = (-(-size // factor) for size in values.shape)
    padded = np.pad(values, ((0, tall * factor - values.shape[0]), (0, wide * factor - values.shape[1])), mode="edge")
    return padded.reshape(tall, factor, wide, factor).mean(axis=(1, 3))


# ---------------------------------------------------------------------- as files


def grey_png(values: NDArray[np.float64]) -> tuple[str, float, float]:
    """Values as a grey PNG of 16 bits (base64), and what its levels 1 and 65535 stand for; level 0 is no number."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    step = (high - low) / (_FULL - 1) if high > low else 1.0
    levels = np.where(
        np.isfinite(values), 1 + np.rint((np.nan_to_num(values, nan=low, posinf=low, neginf=low) - low) / step), 0
    )
    return _png(levels.astype(np.uint16)), low, high


def mask_png(mask: NDArray[np.bool_]) -> str:
    """A mask as a PNG of black and white (base64)."""
    return _png(np.where(mask, 255, 0).astype(np.uint8))


def label_png(labels: NDArray[np.int32]) -> str:
    """A map of labels from 0 to 65535 as a grey PNG (base64)."""
    return _png(labels.astype(np.uint8 if labels.max(initial=0) < 256 else np.uint16))


def _png(pixels: NDArray[Any]) -> str:
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def read_grey_png(content: bytes, low: float, high: float) -> NDArray[np.float64]:
    """The values of a `grey_png`, to half a step of its grey levels; NaN where there was no number."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(content)) as picture:
        levels = np.asarray(picture, dtype=np.float64)
    return np.where(levels > 0, low + (levels - 1) * ((high - low) / (_FULL - 1) if high > low else 1.0), np.nan)


def read_mask_png(content: bytes) -> NDArray[np.bool_]:
    """The mask of a `mask_png`."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(content)) as picture:
        return np.asarray(picture) > 127


def read_label_png(content: bytes) -> NDArray[np.int32]:
    """The labels of a `label_png`."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(content)) as picture:
        return np.asarray(picture).astype(np.int32)
