"""Re-segmentation: which voxels of a region keep a say in intensity features (IBSI manual section 2.5).

The region's shape stays as it was drawn: only the intensity mask changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import MaskError

__all__ = ["resegment"]


def resegment(
    values: NDArray[Any],
    mask: NDArray[np.bool_],
    *,
    low: float | None = None,
    high: float | None = None,
    outlier_sigma: float | None = None,
    name: str = "mask",
) -> NDArray[np.bool_]:
    """The intensity mask: voxels of the mask inside a range of intensities that are no outliers.

    Parameters
    ----------
    values, mask : arrays of one shape
        The interpolated, rounded image and the morphological mask.
    low, high : float, optional
        The range, bounds included; None leaves that side open.
    outlier_sigma : float, optional
        Keep intensities within this many standard deviations (over N) of the region's mean. Both rules look at the whole
        region: a voxel outside the range still counts in the mean.
    name : str
        The region's name, for messages.

    Raises
    ------
    MaskError
        No voxel is left.

    References
    ----------
    IBSI reference manual, range re-segmentation (USB3) and intensity outlier filtering (7ACA).
    """
    inside = values[mask]
    keep = np.ones(inside.shape, dtype=bool)
    if low is not None:
        keep &= inside >= low
    if high is not None:
        keep &= inside <= high
    if outlier_sigma is not None and inside.min() < inside.max():
        as_double = inside.astype(np.float64)
        keep &= np.abs(as_double - as_double.mean()) <= outlier_sigma * as_double.std()
    if not keep.any():
        bounds = f"[{'-inf' if low is None else f'{low:g}'}, {'inf' if high is None else f'{high:g}'}]"
        raise MaskError(
            f"region {name!r}: no voxel is left after re-segmentation to {bounds}; its intensities run from {inside.min():g} to "
            f"{inside.max():g}. Are the bounds in the image's own quantity, and is it the right label?"
        )
    result = np.zeros(mask.shape, dtype=bool)
    result[mask] = keep
    return result
