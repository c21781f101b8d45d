"""Laplacian of Gaussian (IBSI L6PA), truncated: bright where darker than the surroundings at the scale sigma."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from isthmus.filters._convolution import (
    Array,
    ConvolutionSettings,
    Kernel,
    along,
    box_rows,
    label,
    linear_maps,
    number,
    on_axes,
    read,
)
from isthmus.filters._spec import Box
from isthmus.image import Image

__all__ = ["NAME", "LogSettings", "Settings", "apply", "labels", "log_kernels"]

NAME = "log"


class LogSettings(ConvolutionSettings):
    """sigma_mm: the Gaussian's standard deviation. truncation: where the kernel ends along each axis, in sigmas."""

    sigma_mm: float = Field(gt=0, allow_inf_nan=False)
    truncation: float = Field(default=4.0, gt=0, allow_inf_nan=False)

    @property
    def scale(self) -> tuple[str, ...]:
        """Sigma, and the truncation unless it is the usual one, as labels write them."""
        usual = self.truncation == type(self).model_fields["truncation"].default
        cut = () if usual else ("truncation", number(self.truncation))
        return ("sigma", number(self.sigma_mm, "mm"), *cut)


class Settings(LogSettings):
    """See `LogSettings`."""

    name: Literal["log"] = "log"


def log_kernels(spacing_mm: Sequence[float], sigma_mm: float, truncation: float) -> list[tuple[Kernel, Kernel]]:
    """For each axis the Gaussian and its second derivative; the filter is the sum over axes of one derivative times the other Gaussians.

    IBSI's kernel, `-1 / (sqrt(2 pi) s)^D (D / s^2 - |n|^2 / s^4) exp(-|n|^2 / (2 s^2))` with s = sigma in voxels, is that sum on a
    cube of `1 + 2 floor(truncation s + 1/2)` voxels. Where voxels are not cubes, distances are taken in millimetres and the derivative's
    unit is the geometric mean of the spacings, so that the filter still answers alike in all directions. The taps of a derivative are
    shifted by their mean: what truncation leaves of a constant (3e-4 of the kernel's absolute sum at sigma = 1.5 voxels) is taken away.
    """
    unit = math.exp(sum(map(math.log, spacing_mm)) / len(spacing_mm))
    kernels = []
    for spacing in spacing_mm:
        reach = math.floor(truncation * sigma_mm / spacing + 0.5)
        squared = (np.arange(-reach, reach + 1) * spacing / sigma_mm) ** 2
        gauss = np.exp(-squared / 2) * spacing / (math.sqrt(2 * math.pi) * sigma_mm)
        derivative = (squared - 1) * gauss * (unit / sigma_mm) ** 2
        kernels.append((Kernel.of(gauss), Kernel.of(derivative - derivative.mean())))
    return kernels


def labels(settings: Settings) -> tuple[str, ...]:
    return (label("log", settings, settings.dimension, *settings.scale),)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[Array]:
    """The response, float64; reads the truncated kernel's reach around the box."""
    axes = settings.axes
    spacing = [image.geometry.spacing_mm[axis] for axis in axes]
    kernels = log_kernels(spacing, settings.sigma_mm, settings.truncation)
    cascades = on_axes(axes, [[(gauss,), (derivative,)] for gauss, derivative in kernels])
    needed, maps = linear_maps(image.geometry.shape, box_rows(box), cascades, settings.boundary)
    smooth = read(image.values, needed)
    # smooth: Gaussians only so far; curved: the sum of terms with one derivative so far
    curved: Array | None = None
    for n, axis in enumerate(axes):
        gauss, derivative = maps[axis]
        bent = along(smooth, axis, derivative)
        curved = bent if curved is None else bent + along(curved, axis, gauss)
        if n + 1 < len(axes):
            smooth = along(smooth, axis, gauss)
    assert curved is not None
    yield curved
