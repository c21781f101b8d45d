"""Riesz transform of Simoncelli's wavelet (IBSI AYRS and PRT7): its B map, told apart by direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from isthmus.filters._convolution import Array, label, number
from isthmus.filters._fourier import Spectrum, riesz_transfer, simoncelli_transfer
from isthmus.filters._riesz import RieszSettings, respond
from isthmus.filters._spec import Box
from isthmus.filters.simoncelli import SimoncelliSettings
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "riesz_simoncelli"


class Settings(SimoncelliSettings, RieszSettings):
    """See `RieszSettings` and `SimoncelliSettings`."""

    name: Literal["riesz_simoncelli"] = "riesz_simoncelli"


def labels(settings: Settings) -> tuple[str, ...]:
    level = number(settings.level)
    return (label("riesz-simoncelli", settings, settings.dimension, "level", level, *settings.parts),)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[Array]:
    """The response, float64. Reads the whole image (by slice: the box's slices, whole); frequencies are per voxel, as IBSI says."""
    band = simoncelli_transfer(settings.level)

    def transformed(spectrum: Spectrum, order: Sequence[int]) -> Array:
        riesz = riesz_transfer(order, [1.0] * len(order))
        return spectrum.respond(lambda grid: band(grid) * riesz(grid), sum(order))

    yield respond(image, box, settings, settings.margin, transformed)
