"""Mean filter (IBSI S60F): the mean of the voxels around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator

from isthmus.filters._convolution import Array, ConvolutionSettings, Kernel, box_rows, convolve, label, number
from isthmus.filters._spec import Box
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "mean"


class Settings(ConvolutionSettings):
    """support: width of the square or cube that is averaged, in voxels, odd."""

    name: Literal["mean"] = "mean"
    support: int = Field(ge=1)

    @field_validator("support")
    @classmethod
    def _odd(cls, support: int) -> int:
        if support % 2 == 0:
            raise ValueError(f"the support must be an odd number of voxels; {support - 1} or {support + 1}?")
        return support


def labels(settings: Settings) -> tuple[str, ...]:
    return (label("mean", settings, settings.dimension, "support", number(settings.support)),)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[Array]:
    """The mean over `support` voxels along each axis, float64; reads half the support around the box."""
    kernel = (Kernel.of([1 / settings.support] * settings.support),)
    yield convolve(image.values, box_rows(box), settings.axes, [kernel] * len(settings.axes), settings.boundary)
