"""PyRadiomics' square root: sqrt(c |x|) with the sign of x, c = max|x|."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.filters._pointwise import box_and_largest
from isthmus.filters._spec import Box, FilterSettings
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "square_root"


class Settings(FilterSettings):
    """Nothing to set."""

    name: Literal["square_root"] = "square_root"


def labels(settings: Settings) -> tuple[str, ...]:
    return ("squareroot",)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[Any]]:
    """One float64 map."""
    values, largest = box_and_largest(image, box, "squareroot")
    magnitude = np.abs(values)
    magnitude *= largest
    yield np.copysign(np.sqrt(magnitude, out=magnitude), values, out=values)
