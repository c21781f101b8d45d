"""Riesz transform of the Laplacian of Gaussian (IBSI AYRS and L6PA): its response, told apart by direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from scipy import fft

from isthmus.filters._convolution import Array, Kernel, label
from isthmus.filters._fourier import Spectrum, riesz_transfer
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
        return spectrum.respond(riesz_transfer(order, spacing), sum(order), _spectrum(kernels, spectrum.shape))

    yield respond(image, box, settings, margin, transformed)


def _spectrum(kernels: Sequence[tuple[Kernel, Kernel]], shape: Sequence[int]) -> Array:
    """The kernel's discrete Fourier transform on half the spectrum; real, because the kernel is symmetric."""
    lines = []
    for n, (both, length) in enumerate(zip(kernels, shape, strict=True)):
        half = length // 2 + 1 if n == len(shape) - 1 else length
        broadcast = [-1 if m == n else 1 for m in range(len(shape))]
        lines.append([_line(kernel, length)[:half].reshape(broadcast) for kernel in both])
    total: Array = np.zeros(())
    for curved in range(len(lines)):
        term: Array = np.ones(())
        for n, pair in enumerate(lines):
            term = term * pair[1 if n == curved else 0]
        total = total + term
    return total


def _line(kernel: Kernel, length: int) -> Array:
    """One kernel's transform along an axis; taps beyond the axis' length come round again, as in a periodic image."""
    periodic = np.zeros(length)
    np.add.at(periodic, (np.arange(len(kernel.taps)) - kernel.centre) % length, kernel.taps)
    transform: Array = fft.fft(periodic).real
    return transform
