"""PyRadiomics' exponential: exp(c x) with c = log(max|x|) / max|x|."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.filters._pointwise import box_and_largest
from isthmus.filters._spec import Box, FilterSettings
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "exponential"


class Settings(FilterSettings):
    """Nothing to set."""

    name: Literal["exponential"] = "exponential"


def labels(settings: Settings) -> tuple[str, ...]:
    return ("exponential",)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[Any]]:
    """One float64 map."""
    values, largest = box_and_largest(image, box, "exponential")
    values *= np.log(largest) / largest
    yield np.exp(values, out=values)
