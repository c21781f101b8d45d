"""PyRadiomics' logarithm: c log(|x| + 1) with the sign of x, c = max|x| / log(max|x| + 1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.filters._pointwise import box_and_largest
from isthmus.filters._spec import Box, FilterSettings
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "logarithm"


class Settings(FilterSettings):
    """Nothing to set."""

    name: Literal["logarithm"] = "logarithm"


def labels(settings: Settings) -> tuple[str, ...]:
    return ("logarithm",)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[Any]]:
    """One float64 map."""
    values, largest = box_and_largest(image, box, "logarithm")
    magnitude = np.abs(values)
    magnitude += 1
    np.copysign(np.log(magnitude, out=magnitude), values, out=values)
    values *= largest / np.log(largest + 1)
    yield values
