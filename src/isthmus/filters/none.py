"""No filter: the image as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from numpy.typing import NDArray

from isthmus.filters._spec import Box, FilterSettings
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "none"


class Settings(FilterSettings):
    """Nothing to set."""

    name: Literal["none"] = "none"


def labels(settings: Settings) -> tuple[str, ...]:
    return ("original",)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[Any]]:
    """The image's own values in the box."""
    yield image.values[box]
