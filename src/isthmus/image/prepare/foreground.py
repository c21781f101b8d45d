"""Where the patient is: the voxels above Otsu's threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import CaseError

__all__ = ["foreground"]

_BINS = 256


def foreground(values: NDArray[Any]) -> NDArray[np.bool_]:
    """The voxels above the threshold that best parts the histogram in two (Otsu 1979); NaN and infinite voxels are outside.

    The histogram ends at the 99.9th percentile, so that a few very bright voxels do not squeeze the rest into one bin.

    Raises
    ------
    CaseError
        Every voxel has the same value, so there is no foreground.
    """
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, dtype=bool)
    x = values[finite].astype(np.float64)
    if x.size == 0 or x.min() == x.max():
        raise CaseError("the image has one value everywhere; no foreground can be told from a background")
    high = np.percentile(x, 99.9)
    counts, edges = np.histogram(x, bins=_BINS, range=(x.min(), high if high > x.min() else x.max()))
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    moment = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (moment / below - (moment[-1] - moment) / above) ** 2
    threshold = edges[1 + int(np.nanargmax(np.where(above > 0, between, np.nan)))]
    inside: NDArray[np.bool_] = finite & (values > threshold)
    if not inside.any():
        raise CaseError(f"no voxel lies above the threshold {threshold:g} that parts the image in two; is it empty?")
    return inside
