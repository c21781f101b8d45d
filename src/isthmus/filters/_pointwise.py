"""What PyRadiomics' pointwise filters share: one function of the intensity, scaled by the image's largest magnitude."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import CaseError
from isthmus.filters._spec import Box
from isthmus.image import Image

__all__ = ["box_and_largest"]


def box_and_largest(image: Image, box: Box, label: str) -> tuple[NDArray[np.float64], np.float64]:
    """The box in double precision, and the largest magnitude of the whole image.

    Raises
    ------
    CaseError
        The image is 0 everywhere, or holds NaN or infinite values: the scale does not exist.
    """
    values = image.values
    largest = np.float64(max(float(values.max()), -float(values.min())))
    if not np.isfinite(largest) or largest == 0:
        found = "0 everywhere" if largest == 0 else "NaN or infinite somewhere"
        raise CaseError(
            f"response map {label}: the image is {found}, and the filter scales by its largest magnitude. "
            "Repair the image, or leave the filter out"
        )
    return values[box].astype(np.float64), largest
