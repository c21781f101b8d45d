"""Riesz transform of the Laplacian of Gaussian (IBSI AYRS and L6PA): its response, told apart by direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from scipy import fft

from isthmus.filters._convolution import Array, Kernel, label
from isthmus.filters._fourier import Grid, Spectrum, Transfer, riesz_transfer
from isthmus.filters._riesz import RieszSettings, respond
from isthmus.filters._spec import Box
from isthmus.filters.log import LogSettings, log_kernels
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "riesz_log"


class Settings(RieszSettings, LogSettings):
    """See `RieszSettings` and `LogSettings`."""

    name: Literal["riesz_log"] = "riesz_log"


def labels(settings: Settings) -> tuple[str, ...]:
    return (label("riesz-log", settings, settings.dimension, *settings.scale, *settings.parts),)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[Array]:
    """The response, float64. Reads the whole image (by slice: the box's slices, whole).

    The kernel is the truncated one of `log`; directions are those in millimetres. Unless the boundary is periodic the image is extended
    by three times the kernel's reach, because a Riesz transform fades slowly.
    """
    spacing = [image.geometry.spacing_mm[axis] for axis in sorted(settings.axes)]
    kernels = log_kernels(spacing, settings.sigma_mm, settings.truncation)
    margin = 3 * max(gauss.centre for gauss, _ in kernels)

    def transformed(spectrum: Spectrum, order: Sequence[int]) -> Array:
        riesz, band = riesz_transfer(order, spacing), _log_transfer(kernels, spectrum.shape)
        return spectrum.respond(lambda grid: band(grid) * riesz(grid), sum(order))

    yield respond(image, box, settings, margin, transformed)


def _log_transfer(kernels: Sequence[tuple[Kernel, Kernel]], shape: Sequence[int]) -> Transfer:
    """The kernel's discrete Fourier transform; real, because the kernel is symmetric."""
    lines = [[_line(kernel, length) for kernel in both] for both, length in zip(kernels, shape, strict=True)]

    def transfer(grid: Grid) -> Array:
        smooth: Array = np.ones(())
        curved: Array = np.zeros(())
        for (gauss, derivative), places in zip(lines, grid.places, strict=True):  # as in `log`, axis by axis
            curved = curved * gauss[places] + smooth * derivative[places]
            smooth = smooth * gauss[places]
        return curved

    return transfer


def _line(kernel: Kernel, length: int) -> Array:
    """One kernel's transform along an axis; taps beyond the axis' length come round again, as in a periodic image."""
    periodic = np.zeros(length)
    np.add.at(periodic, (np.arange(len(kernel.taps)) - kernel.centre) % length, kernel.taps)
    transform: Array = fft.fft(periodic).real
    return transform
