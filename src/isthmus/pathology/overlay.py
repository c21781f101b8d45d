"""Pictures to judge a segmentation by: the whole slide with its tissue and nuclei, and one field with every outline."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.pathology.stain import Pixels
from isthmus.pathology.tissue import Tissue

__all__ = ["densest", "outlined", "whole"]

_TISSUE = (0, 158, 115)
_NUCLEUS = (240, 228, 66)
_DOT = (0, 114, 178)
_SPOILED = (213, 94, 0)


def outlined(rgb: Pixels, labels: NDArray[np.int32]) -> Pixels:
    """The picture with a line around every nucleus; nuclei that touch have a line between them."""
    edge = np.zeros(labels.shape, dtype=bool)
    for axis in (0, 1):
        step = np.diff(labels, axis=axis) != 0
        pad = [(0, 1), (0, 0)] if axis == 0 else [(0, 0), (0, 1)]
        edge |= np.pad(step, pad)
    painted = rgb.copy()
    painted[edge] = _NUCLEUS
    return painted


def whole(picture: Pixels, tissue: Tissue, nuclei: pd.DataFrame) -> Pixels:
    """The slide at the tissue's resolution: a green line around the tissue, an orange one around artefacts left out, a blue dot a
    nucleus."""
    from scipy import ndimage

    painted = picture.copy()
    i, j = (
        np.clip((nuclei[name].to_numpy(float) / tissue.mpp).astype(int), 0, tissue.mask.shape[axis] - 1)
        for name, axis in (("x_um", 1), ("y_um", 0))
    )
    painted[j, i] = _DOT
    painted[tissue.mask & ~ndimage.binary_erosion(tissue.mask)] = _TISSUE
    if tissue.spoiled is not None:
        painted[tissue.spoiled & ~ndimage.binary_erosion(tissue.spoiled)] = _SPOILED
    return painted


def densest(nuclei: pd.DataFrame, side_um: float, extent_um: tuple[float, float]) -> tuple[float, float]:
    """(top, left), um, of the square with the most nuclei among those of a grid of half squares; inside the slide."""
    if not len(nuclei):
        return 0.0, 0.0
    y, x = nuclei["y_um"].to_numpy(float), nuclei["x_um"].to_numpy(float)
    step = side_um / 2
    rows, columns = (max(1, int(np.ceil(length / step))) for length in extent_um)
    count = np.histogram2d(y, x, [np.arange(rows + 1) * step, np.arange(columns + 1) * step])[0]
    padded = np.pad(count, ((0, 1), (0, 1)))
    four = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
    best = np.unravel_index(int(four.argmax()), four.shape)
    top, left = (min(float(n) * step, max(0.0, length - side_um)) for n, length in zip(best, extent_um, strict=True))
    return top, left
