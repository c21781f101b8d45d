"""PyRadiomics' square: (c x)^2 with c = 1 / sqrt(max|x|)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.filters._pointwise import box_and_largest
from isthmus.filters._spec import Box, FilterSettings
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "square"


class Settings(FilterSettings):
    """Nothing to set."""

    name: Literal["square"] = "square"


def labels(settings: Settings) -> tuple[str, ...]:
    return ("square",)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[Any]]:
    """One float64 map."""
    values, largest = box_and_largest(image, box, "square")
    values *= 1 / np.sqrt(largest)
    yield np.square(values, out=values)
