"""What features are read from: the image and the region as a profile prepared them, and the response maps. `compute` reads these very
objects, so whoever looks at them sees what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image import Image

__all__ = ["GreyLevels", "Measured", "Response"]


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """One response map in the region's box; `values` is None where the filter cannot work on this image, and `reason` says why.

    The values may live in a buffer that the next map overwrites.
    """

    label: str
    values: NDArray[Any] | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """An image and its region, normalised, resampled and re-segmented as the profile's settings say, in the region's box.

    image: the unfiltered image in the box. mask: the region of the shape features (IBSI's morphological mask).
    intensity_mask: the region of all others. responses: the response maps the settings name, made one at a time, when asked for.
    """

    image: Image
    mask: NDArray[np.bool_]
    intensity_mask: NDArray[np.bool_]
    responses: Iterator[Response]


@dataclass(frozen=True, slots=True)
class GreyLevels:
    """Grey levels of the unfiltered image in the region.

    levels: the number of bins from the first to the last. lowest, highest: intensities. bin_width: of fixed bins; None where their
    number is fixed or intensities are taken as they are. discretisation: as column facts say it.
    """

    levels: int
    lowest: float
    highest: float
    bin_width: float | None
    discretisation: str
