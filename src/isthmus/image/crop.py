"""The largest slice of a lesion, cut out with some of what surrounds it: what a picture of it needs, in a few kilobytes."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image.image import Image

__all__ = ["MOST", "Crop", "grey_png", "lesion_crop", "mask_png", "read_grey_png", "read_mask_png"]

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
    """

    values: NDArray[np.float64]
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float]
    slice: int


def lesion_crop(image: Image, mask: NDArray[np.bool_], most: int = MOST) -> Crop:
    """The slice in which the lesion is largest (the first of equals), cut to a square around it, 1.7 times its extent and at least
    24 mm; less where the image ends.

    Parameters
    ----------
    image : Image
    mask : bool array, shape (k, j, i)
        At least one voxel.
    most : int
        Pixels along a side that are kept; a pixel of the mask that was averaged is one of the lesion where half of it was.
    """
    areas = mask.sum(axis=(1, 2))
    k = int(np.argmax(areas))
    plane, inside = image.values[k].astype(np.float64), mask[k]
    spacing = image.geometry.spacing_mm[1:]
    extents = [np.flatnonzero(inside.any(axis=1 - axis)) for axis in (0, 1)]
    length = max((found[-1] - found[0] + 1) * mm for found, mm in zip(extents, spacing, strict=True))
    side = max(_MARGIN * length, _LEAST_MM)
    window = tuple(
        _window((found[0] + found[-1] + 1) / 2, int(np.ceil(side / mm)), size)
        for found, mm, size in zip(extents, spacing, plane.shape, strict=True)
    )
    plane, inside = plane[window], inside[window]
    factor = -(-max(plane.shape) // most)
    if factor > 1:
        plane, inside = _averaged(plane, factor), _averaged(inside.astype(np.float64), factor) >= 0.5
    return Crop(plane, inside, (spacing[0] * factor, spacing[1] * factor), k)


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
