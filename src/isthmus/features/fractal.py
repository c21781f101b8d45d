r"""Fractal dimension of the region by box counting.

:math:`N(s)` boxes of :math:`s` voxels a side hold a voxel of the region; the boxes start at the corner of its bounding box, and
:math:`s = 1, 2, 4, \dots` up to half the longest side of the bounding box. The dimension is the slope of the least-squares line
through :math:`(\log 1/s, \log N(s))`: 3 for a filled cube, 2 for a plane, 1 for a line, less for a region full of holes. Boxes are
counted in voxels: resample to cubic voxels where spacing differs between axes.

References
----------
Liebovitch, Toth, Physics Letters A 141(8-9), 1989, p. 386.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.features._spec import FeatureSpec
from isthmus.image.box import bounding_box

__all__ = ["FEATURES", "NAME", "box_counts", "compute"]

NAME = "fractal"

FEATURES = (
    FeatureSpec(
        name="BoxCountingDimension",
        formula=r"\text{slope of } \log N(s) \text{ over } \log 1/s",
        limit="undefined for a region less than four voxels long",
        discretised=False,
    ),
)


def compute(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The value of the one feature.

    Parameters
    ----------
    mask : bool array, shape (k, j, i)
        The region, not empty.

    Returns
    -------
    array, shape (1,)
        NaN where there are fewer than two sizes of boxes.

    Examples
    --------
    >>> float(compute(np.ones((8, 8, 8), bool))[0])
    3.0
    """
    counts = box_counts(mask)
    if len(counts) < 2:
        return np.array([np.nan])
    x = -np.arange(len(counts), dtype=np.float64)  # log2 of 1/s
    y = np.log2(np.array(counts, dtype=np.float64))
    from_mean = x - x.mean()
    return np.array([np.sum(from_mean * (y - y.mean())) / np.sum(from_mean * from_mean)])


def box_counts(mask: NDArray[np.bool_]) -> list[int]:
    """How many boxes of 1, 2, 4, ... voxels a side hold a voxel of the region, up to half its longest side."""
    box = bounding_box(mask)
    if box is None:
        return []
    held = mask[box]
    longest, size, counts = max(held.shape), 1, []
    while size <= longest / 2:
        counts.append(int(np.count_nonzero(held)))
        held, size = _halved(held), 2 * size
    return counts


def _halved(held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Boxes twice as wide: one holds a voxel where one of its eight does."""
    held = np.pad(held, [(0, n % 2) for n in held.shape])
    k, j, i = (n // 2 for n in held.shape)
    return np.asarray(held.reshape(k, 2, j, 2, i, 2).any(axis=(1, 3, 5)))
