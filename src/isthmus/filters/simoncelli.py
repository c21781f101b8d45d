"""Simoncelli's non-separable wavelet (IBSI PRT7): the band-pass map B of a level, alike in all directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from isthmus.filters._convolution import Array, Boundary, ConvolutionSettings, label, number
from isthmus.filters._fourier import Spectrum, simoncelli_transfer
from isthmus.filters._spec import Box
from isthmus.image import Image

__all__ = ["NAME", "Settings", "SimoncelliSettings", "apply", "labels"]

NAME = "simoncelli"


class SimoncelliSettings(ConvolutionSettings):
    """level: 1 passes waves of 2 to 8 voxels, each further level waves twice as long. boundary: periodic, as a Fourier transform sees an
    image (IBSI's values were made so); otherwise the image is extended first."""

    boundary: Boundary = "periodic"
    level: int = Field(default=1, ge=1)

    @property
    def margin(self) -> int:
        """How far an image is extended unless it is periodic: two of the longest waves that pass, voxels."""
        return 16 * 2 ** (self.level - 1)


class Settings(SimoncelliSettings):
    """See `SimoncelliSettings`."""

    name: Literal["simoncelli"] = "simoncelli"


def labels(settings: Settings) -> tuple[str, ...]:
    return (label("simoncelli", settings, settings.dimension, "level", number(settings.level)),)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[Array]:
    """The B map, float64. Defined on the whole image's spectrum: reads the whole image (by slice: the box's slices, whole).

    Frequencies are per voxel, as IBSI says: on voxels that are not cubes the filter is not alike in all directions.
    """
    spectrum = Spectrum(image.values, box, sorted(settings.axes), settings.boundary, settings.margin)
    yield spectrum.respond(simoncelli_transfer(settings.level))
