"""What lies on tissue and is none of it: folds, dark ink, and the rims of air bubbles with what is under them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.pathology.stain import Array, Pixels, optical_density

__all__ = ["artefacts"]

Mask = NDArray[np.bool_]

_SMOOTHING_UM = 16.0
_DARK, _LAYERS = 2.0, 2.6  # a fold is three layers: the tissue, its turned side, the tissue again
_LEAST_FOLD_UM, _LEAST_LENGTHS = 200.0, 4.0
_RIM_DENSITY, _RIM_COLOURLESS = 0.3, 0.75
_INK_DENSITY = 1.35
_LEAST_RIM_UM2, _LEAST_BUBBLE_UM, _LEAST_ROUND = 1_000.0, 150.0, 0.7


def artefacts(rgb: Pixels, tissue: Mask, mpp: float) -> Mask:
    """Folds, bubbles and dark ink of a slide seen at `mpp` um per pixel.

    A fold is a long band in which every channel is more than 2.5 times as dense as the tissue's median: haematoxylin alone, as in dense
    cells, darkens blue far less than red. A bubble's rim is dark without colour, on glass or over the tissue's own; where it closes
    around a round area of 150 um or more, that is left out with it.
    """
    from scipy import ndimage

    if not tissue.any():
        return np.zeros_like(tissue)
    size = max(1, round(_SMOOTHING_UM / mpp))
    density = np.asarray(ndimage.uniform_filter(optical_density(rgb), (size, size, 0)))
    typical = np.median(density[tissue], axis=0)
    layers = (density / np.maximum(typical, 0.05)).min(axis=-1)
    found = _bands(np.where(tissue, layers, 0), mpp)
    found |= _without_specks(density.min(axis=-1) >= _INK_DENSITY, mpp)
    found |= _bubbles(_colourless(density) | _colourless(density - typical), mpp)
    return np.asarray(ndimage.binary_dilation(found, iterations=max(1, round(8 / mpp))) if found.any() else found)


def _colourless(density: Array) -> Mask:
    least, most = density.min(axis=-1), density.max(axis=-1)
    return np.asarray((least >= _RIM_DENSITY) & (least >= _RIM_COLOURLESS * most))


def _bands(layers: Array, mpp: float) -> Mask:
    """Parts with more than two layers, 2.6 in their middle, at least 200 um long and four times as long as wide.

    Length is area over width, so bends do not matter.
    """
    from scipy import ndimage

    dark = layers > _DARK
    parts, count = ndimage.label(dark, np.ones((3, 3)))
    if not count:
        return dark
    names = np.arange(1, count + 1)
    half = ndimage.maximum(ndimage.distance_transform_edt(np.pad(dark, 1))[1:-1, 1:-1], parts, names)
    width = np.maximum(2 * np.asarray(half, dtype=np.float64) - 1, 1)
    length = np.bincount(parts.ravel(), minlength=count + 1)[1:] / width
    keep = (length * mpp >= _LEAST_FOLD_UM) & (length >= _LEAST_LENGTHS * width)
    keep &= np.asarray(ndimage.median(layers, parts, names)) >= _LAYERS
    return np.asarray(np.concatenate([[False], keep])[parts])


def _without_specks(marks: Mask, mpp: float) -> Mask:
    from scipy import ndimage

    parts, count = ndimage.label(marks, np.ones((3, 3)))
    large = np.bincount(parts.ravel(), minlength=count + 1) * mpp**2 >= _LEAST_RIM_UM2
    large[0] = False
    return np.asarray(large[parts])


def _bubbles(rims: Mask, mpp: float) -> Mask:
    """The rims that are no specks, and the round areas that they enclose."""
    from scipy import ndimage

    parts, _ = ndimage.label(rims, np.ones((3, 3)))
    found = np.zeros_like(rims)
    for name, place in enumerate(ndimage.find_objects(parts), 1):
        rim = parts[place] == name
        if rim.sum() * mpp**2 < _LEAST_RIM_UM2:
            continue
        found[place] |= rim
        filled = ndimage.binary_fill_holes(rim)
        high, wide = filled.shape
        round_area = np.pi / 4 * high * wide
        if min(high, wide) * mpp >= _LEAST_BUBBLE_UM and filled.sum() >= _LEAST_ROUND * round_area:
            found[place] |= filled
    return found
