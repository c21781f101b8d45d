"""Laws kernels (IBSI JTXT): products of level, edge, spot, wave and ripple along the axes; and their energy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from isthmus.filters._convolution import (
    Array,
    Cascade,
    ConvolutionSettings,
    Kernel,
    Rows,
    along,
    box_rows,
    convolve,
    label,
    linear_maps,
    number,
    on_axes,
)
from isthmus.filters._rotation import Pooling, rotation_pooled
from isthmus.filters._spec import Box
from isthmus.image import Image

__all__ = ["KERNELS", "NAME", "Settings", "apply", "labels"]

NAME = "laws"


def _normalised(*taps: int) -> Kernel:
    """Unit energy: the squares of the taps sum to one."""
    return Kernel.of(np.array(taps) / np.sqrt(sum(tap * tap for tap in taps)))


KERNELS = {
    "L3": _normalised(1, 2, 1),
    "L5": _normalised(1, 4, 6, 4, 1),
    "E3": _normalised(-1, 0, 1),
    "E5": _normalised(-1, -2, 0, 2, 1),
    "S3": _normalised(-1, 2, -1),
    "S5": _normalised(-1, 0, 2, 0, -1),
    "W5": _normalised(-1, 2, 0, -2, 1),
    "R5": _normalised(1, -4, 6, -4, 1),
}


class Settings(ConvolutionSettings):
    """kernels: one name per axis in IBSI's order x, y, z (i, j, k), such as "E5L5S5", or "L5S5" by slice; of L3 L5 E3 E5 S3 S5 W5 R5.
    rotation_invariance: pool the responses at all right-angle rotations. energy_distance: mean absolute response over all voxels as far
    as this (Chebyshev distance, voxels); unset: the response itself."""

    name: Literal["laws"] = "laws"
    kernels: str
    rotation_invariance: bool = False
    pooling: Pooling = "max"
    energy_distance: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_kernel_per_axis(self) -> Settings:
        wanted = 2 if self.by_slice else 3
        if len(self.parts) != wanted or "".join(self.parts) != self.kernels:
            example = "L5E5" if self.by_slice else "L5E5E5"
            raise ValueError(
                f"kernels = {self.kernels!r}: {wanted} names of {', '.join(KERNELS)} were expected, such as {example!r}"
            )
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(re.findall("|".join(KERNELS), self.kernels))


def labels(settings: Settings) -> tuple[str, ...]:
    return (
        label(
            "laws",
            settings,
            settings.dimension,
            settings.kernels,
            f"invariant-{settings.pooling}" if settings.rotation_invariance else "",
            f"energy-{number(settings.energy_distance)}" if settings.energy_distance else "",
        ),
    )


def apply(image: Image, box: Box, settings: Settings) -> Iterator[Array]:
    """The response or its energy, float64; reads the kernels' reach, and the energy's, around the box.

    The energy's boundary condition is the filter's, on the response map.
    """
    rows = box_rows(box)
    if settings.energy_distance is None:
        yield _response(image, rows, settings)
        return
    axes, width = settings.axes, 2 * settings.energy_distance + 1
    mean: Cascade = (Kernel.of([1 / width] * width),)
    needed, maps = linear_maps(image.geometry.shape, rows, on_axes(axes, [[mean]] * len(axes)), settings.boundary)
    energy = np.abs(_response(image, needed, settings))
    for axis in axes:
        energy = along(energy, axis, maps[axis][0])
    yield energy


def _response(image: Image, rows: Rows, settings: Settings) -> Array:
    kernels: list[Cascade] = [(KERNELS[part],) for part in settings.parts]
    if settings.rotation_invariance:
        return rotation_pooled(image.values, rows, kernels, settings.axes, settings.boundary, settings.pooling)
    return convolve(image.values, rows, settings.axes, kernels, settings.boundary)
