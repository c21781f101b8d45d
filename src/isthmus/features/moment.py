r"""Moment invariants of the region in space: the two of second order that are not a determinant.

A voxel weighs :math:`w = (x - \min x) / (\bar x - \min x)`: no weight is negative, and their mean over the region is 1. The central
moments are :math:`\mu_{pqr} = \sum w \, (X - \bar X)^p (Y - \bar Y)^q (Z - \bar Z)^r \, dV`, in mm, about the centre of mass, so
:math:`\mu_{000}` is the volume; scaled, :math:`\eta_{pqr} = \mu_{pqr} / \mu_{000}^{1 + (p+q+r)/3}`. The invariants do not change when the
region is moved, rotated or enlarged, nor when a constant is added to its intensities or they are multiplied by one.

References
----------
Sadjadi, Hall, IEEE Trans. Pattern Analysis and Machine Intelligence 2(2), 1980, p. 127.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.features._spec import FeatureSpec
from isthmus.image import Spacing

__all__ = ["FEATURES", "NAME", "compute"]

NAME = "moment"

_Moment = partial(FeatureSpec, discretised=False, limit="undefined when all intensities are equal")

FEATURES = (
    _Moment(name="J1", formula=r"\eta_{200} + \eta_{020} + \eta_{002}"),
    _Moment(
        name="J2",
        formula=r"\eta_{200}\eta_{020} + \eta_{200}\eta_{002} + \eta_{020}\eta_{002} - \eta_{110}^2 - \eta_{101}^2 - \eta_{011}^2",
    ),
)


def compute(image: NDArray[Any], mask: NDArray[np.bool_], spacing_mm: Spacing) -> NDArray[np.float64]:
    """Values of the two invariants.

    Parameters
    ----------
    image : array, shape (k, j, i)
    mask : bool array of the same shape
        Not empty; intensities inside are finite.
    spacing_mm : tuple of 3 floats
        (k, j, i).

    Returns
    -------
    array, shape (2,)
        NaN when all intensities are equal.
    """
    weights = image[mask].astype(np.float64)
    weights -= weights.min()
    total = float(np.sum(weights))
    if total == 0:
        return np.array([np.nan, np.nan])
    from_centre = []
    for index, spacing in zip(np.nonzero(mask), spacing_mm, strict=True):
        along = index * spacing
        from_centre.append(along - np.sum(weights * along) / total)
    volume = weights.size * float(np.prod(spacing_mm))

    def eta(a: int, b: int) -> float:
        return float(np.sum(weights * from_centre[a] * from_centre[b])) / total / volume ** (2 / 3)

    k, j, i = eta(0, 0), eta(1, 1), eta(2, 2)
    return np.array([k + j + i, k * j + k * i + j * i - eta(0, 1) ** 2 - eta(0, 2) ** 2 - eta(1, 2) ** 2])
