"""Reinhard's colour transfer: mean and standard deviation of each CIELAB channel of the tissue.

References
----------
Reinhard et al., IEEE CGA 21(5):34-41, 2001. CIELAB for sRGB and the D65 white: IEC 61966-2-1, ISO/CIE 11664-4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.pathology.stain import Array, Pixels

__all__ = ["Colours", "colours", "lab", "rgb_of_lab", "transfer"]

_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([0.95047, 1.0, 1.08883])


@dataclass(frozen=True, eq=False)
class Colours:
    """Mean and standard deviation of L, a and b, each of shape (3,)."""

    mean: Array
    sd: Array


def lab(rgb: Pixels) -> Array:
    """CIELAB of sRGB, shape as `rgb`."""
    value = rgb / 255.0
    linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
    ratio = linear @ _TO_XYZ.T / _WHITE
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def rgb_of_lab(values: Array) -> Pixels:
    """sRGB of CIELAB, cut off at 0 and 255 before it is rounded."""
    y = (values[..., 0] + 16) / 116
    x, z = values[..., 1] / 500 + y, np.maximum(y - values[..., 2] / 200, 0)
    f = np.stack([x, y, z], axis=-1)
    ratio = np.where(f > 0.2068966, f**3, (f - 16 / 116) / 7.787)
    linear = (ratio * _WHITE) @ np.linalg.inv(_TO_XYZ).T
    value = np.where(linear > 0.0031308, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055, 12.92 * linear)
    return np.asarray(np.rint(np.clip(value, 0, 1) * 255), dtype=np.uint8)


def colours(rgb: Pixels, mask: NDArray[np.bool_] | None = None) -> Colours:
    """Of the tissue (`mask`, shape (j, i)), estimated once a slide; of everything without a mask.

    Raises
    ------
    ImageReadError
        Fewer than two pixels, or a channel that does not vary.
    """
    pixels = rgb.reshape(-1, 3) if mask is None else rgb[mask]
    if len(pixels) < 2:
        raise ImageReadError(f"{len(pixels)} pixels of tissue: there are no colours to measure")
    values = lab(pixels)
    sd = values.std(axis=0)
    if (sd < 1e-9).any():
        raise ImageReadError("the tissue has one colour: there is no spread to bring to another's")
    return Colours(values.mean(axis=0), sd)


def transfer(rgb: Pixels, source: Colours, target: Colours, mask: NDArray[np.bool_] | None = None) -> Pixels:
    """The image with the target's colours; outside the mask it stays as it is, so glass stays white."""
    moved = rgb_of_lab((lab(rgb) - source.mean) / source.sd * target.sd + target.mean)
    return moved if mask is None else np.where(mask[..., None], moved, rgb)
