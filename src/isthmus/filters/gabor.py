"""Gabor filter (IBSI Q88H): the modulus of a 2-D wave under a Gaussian, in every slice; averaged over directions and planes if asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy import fft

from isthmus.errors import CaseError
from isthmus.filters._convolution import Array, BoundarySettings, box_rows, label, number, source
from isthmus.filters._fourier import read_extended
from isthmus.filters._rotation import Pooling
from isthmus.filters._spec import Box
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "gabor_kernel", "labels"]

NAME = "gabor"

REACH = 6.0  # sigmas: the kernel ends where its envelope has fallen to exp(-18), 1.5e-8
LONGEST = 2000  # voxels: beyond any purpose, and a slice's transform would not fit into memory
NEGLIGIBLE = 1e-15  # of the largest value of a kernel's spectrum
BLOCK = 2**18  # voxels transformed at a time
PLANES = ((2, 1), (2, 0), (1, 0))  # axes that take the kernel's x and y: (i, j), (i, k), (j, k)


class Settings(BoundarySettings):
    """sigma_mm: the Gaussian's standard deviation along the wave. wavelength_mm: of the wave. gamma: sigma along the wave over sigma
    across it. theta_degrees: the wave's direction, from x (i) towards y (j); or theta_step_degrees: all directions from 0 in such
    steps, pooled. orthogonal_planes: mean of the responses in the planes (i, j), (i, k) and (j, k); otherwise (i, j) alone."""

    name: Literal["gabor"] = "gabor"
    sigma_mm: float = Field(gt=0, allow_inf_nan=False)
    wavelength_mm: float = Field(gt=0, allow_inf_nan=False)
    gamma: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    theta_degrees: float | None = Field(default=None, allow_inf_nan=False)
    theta_step_degrees: float | None = Field(default=None, gt=0, le=360)
    pooling: Pooling = "average"
    orthogonal_planes: bool = False

    @model_validator(mode="after")
    def _one_way_to_say_the_direction(self) -> Settings:
        if (self.theta_degrees is None) == (self.theta_step_degrees is None):
            raise ValueError("give either theta_degrees (one direction) or theta_step_degrees (all directions, pooled)")
        if self.theta_step_degrees is not None:
            steps = 360 / self.theta_step_degrees
            if abs(steps - round(steps)) > 1e-6:
                raise ValueError(f"theta_step_degrees = {self.theta_step_degrees:g} does not divide 360 degrees")
        return self

    @property
    def angles(self) -> list[float]:
        """Directions in radians; opposite ones have the same modulus and are taken once."""
        if self.theta_degrees is not None:
            return [math.radians(self.theta_degrees)]
        steps = round(360 / (self.theta_step_degrees or 360))
        return [2 * math.pi * n / steps for n in range(steps // 2 if steps % 2 == 0 else steps)]


def labels(settings: Settings) -> tuple[str, ...]:
    if settings.theta_degrees is not None:
        direction = f"theta-{number(settings.theta_degrees, 'deg')}"
    else:
        pooling = "" if settings.pooling == "average" else f"-{settings.pooling}"
        direction = f"step-{number(settings.theta_step_degrees or 360, 'deg')}{pooling}"
    return (
        label(
            "gabor",
            settings,
            "planes" if settings.orthogonal_planes else "2d",
            *("sigma", number(settings.sigma_mm, "mm"), "lambda", number(settings.wavelength_mm, "mm")),
            *("gamma", number(settings.gamma), direction),
        ),
    )


def _reach(settings: Settings, spacing_mm: Sequence[float]) -> list[int]:
    """How far the kernel reaches along each axis of a plane at any of the directions, voxels."""
    reaches = []
    for axis, spacing in enumerate(spacing_mm):
        widest = 0.0
        for angle in settings.angles:
            along_wave, across = (math.cos(angle), math.sin(angle)) if axis == 0 else (math.sin(angle), math.cos(angle))
            widest = max(widest, settings.sigma_mm * math.hypot(along_wave, across / settings.gamma))
        reaches.append(math.ceil(REACH * widest / spacing))
    if max(reaches) > LONGEST:
        raise CaseError(
            f"the Gabor kernel of sigma_mm = {settings.sigma_mm:g}, gamma = {settings.gamma:g} reaches {max(reaches)} voxels "
            f"(spacing {spacing_mm[0]:g} x {spacing_mm[1]:g} mm); at most {LONGEST} are filtered. Is sigma_mm in millimetres?"
        )
    return reaches


def gabor_kernel(
    settings: Settings, angle: float, spacing_mm: Sequence[float], reach: Sequence[int]
) -> NDArray[np.complex128]:
    """IBSI's kernel on `(2 reach_y + 1, 2 reach_x + 1)` voxels, rows along y; `spacing_mm` and `reach` are (x, y).

    `exp(-(u^2 + gamma^2 v^2) / (2 sigma^2) + 2 pi i u / lambda)`, u along the wave and v across it, in millimetres.
    """
    x, y = (np.arange(-r, r + 1) * s for r, s in zip(reach, spacing_mm, strict=True))
    u = x[None, :] * math.cos(angle) + y[:, None] * math.sin(angle)
    v = -x[None, :] * math.sin(angle) + y[:, None] * math.cos(angle)
    envelope = np.exp(-(u * u + (settings.gamma * v) ** 2) / (2 * settings.sigma_mm**2))
    envelope[envelope < math.exp(-(REACH**2) / 2)] = 0
    kernel: NDArray[np.complex128] = envelope * np.exp(2j * math.pi / settings.wavelength_mm * u)
    return kernel


def apply(image: Image, box: Box, settings: Settings) -> Iterator[Array]:
    """The modulus, float64; reads the kernel's reach around the box, in the planes it filters."""
    planes = PLANES if settings.orthogonal_planes else PLANES[:1]
    total = _in_plane(image, box, settings, planes[0])
    for plane in planes[1:]:
        total += _in_plane(image, box, settings, plane)
    yield total / len(planes)


def _in_plane(image: Image, box: Box, settings: Settings, plane: tuple[int, int]) -> Array:
    """The pooled modulus over directions in all slices along one plane; convolutions by Fourier transform of the slices."""
    spacing = [image.geometry.spacing_mm[axis] for axis in plane]
    reach = _reach(settings, spacing)
    rows = list(box_rows(box))
    for axis, margin in zip(plane, reach, strict=True):
        start, stop = box[axis].start - margin, box[axis].stop + margin
        rows[axis] = source(np.arange(start, stop), image.geometry.shape[axis], settings.boundary)
    # slices first, then y, then x
    order = (3 - sum(plane), plane[1], plane[0])
    slices = np.transpose(read_extended(image.values, (rows[0], rows[1], rows[2])), order)
    inside = [box[axis].stop - box[axis].start for axis in order]
    shape = [fft.next_fast_len(n) for n in slices.shape[1:]]
    spectra = [_spectrum(gabor_kernel(settings, angle, spacing, reach), shape) for angle in settings.angles]

    pooled = np.empty(inside)
    step = max(1, BLOCK // (shape[0] * shape[1]))
    keep_y, keep_x = (slice(margin, margin + n) for margin, n in zip(reach[::-1], inside[1:], strict=True))
    for first in range(0, inside[0], step):
        some = slice(first, first + step)
        waves = fft.fft2(slices[some], shape, axes=(1, 2))
        for n, (spectrum, columns) in enumerate(spectra):
            # back along y where there is anything, then along x for the rows wanted
            product = fft.ifft(waves[:, :, columns] * spectrum, axis=1, overwrite_x=True)[:, keep_y]
            wide = np.zeros((*product.shape[:2], shape[1]), dtype=np.complex128)
            wide[:, :, columns] = product
            response = fft.ifft(wide, axis=2, overwrite_x=True)[:, :, keep_x]
            modulus = np.sqrt(response.real**2 + response.imag**2)
            if n == 0:
                pooled[some] = modulus
            elif settings.pooling == "average":
                pooled[some] += modulus
            else:
                (np.maximum if settings.pooling == "max" else np.minimum)(pooled[some], modulus, out=pooled[some])
    if settings.pooling == "average":
        pooled /= len(spectra)
    return np.transpose(pooled, np.argsort(order))


def _spectrum(kernel: NDArray[np.complex128], shape: Sequence[int]) -> tuple[NDArray[np.complex128], NDArray[np.intp]]:
    """A kernel's transform with its centre at the origin: the columns with anything in them, and which they are."""
    padded = np.zeros(shape, dtype=np.complex128)
    padded[: kernel.shape[0], : kernel.shape[1]] = kernel
    spectrum = fft.fft2(np.roll(padded, [-(n // 2) for n in kernel.shape], axis=(0, 1)))
    size = np.abs(spectrum)
    columns = np.flatnonzero(size.max(axis=0) > NEGLIGIBLE * size.max())
    return spectrum[:, columns], columns
