"""Separable wavelets (IBSI 25BO), undecimated: low-pass and high-pass filters along the axes, wider at every level."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from isthmus.errors import did_you_mean
from isthmus.filters._convolution import (
    Array,
    Cascade,
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
from isthmus.filters._rotation import Pooling, rotation_pooled
from isthmus.filters._spec import Box
from isthmus.filters._wavelet_taps import wavelet_names, wavelet_taps
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "wavelet"


class Settings(ConvolutionSettings):
    """wavelet: PyWavelets' name (haar, db2, coif1, ...). level: of the decomposition, the first is 1. subband: one letter per axis in
    IBSI's order x, y, z (i, j, k), such as "LLH", or "LH" by slice; unset: every subband of the level. rotation_invariance: pool the
    responses at all right-angle rotations (subbands that are rotations of each other are then one)."""

    name: Literal["wavelet"] = "wavelet"
    wavelet: str
    level: int = Field(default=1, ge=1)
    subband: str | None = None
    rotation_invariance: bool = False
    pooling: Pooling = "average"

    @field_validator("wavelet")
    @classmethod
    def _known(cls, wavelet: str) -> str:
        if wavelet not in wavelet_names():
            raise ValueError(f"no such wavelet.{did_you_mean(wavelet, wavelet_names())}")
        return wavelet

    @model_validator(mode="after")
    def _one_letter_per_axis(self) -> Settings:
        wanted = 2 if self.by_slice else 3
        if self.subband is not None and (len(self.subband) != wanted or set(self.subband) - {"L", "H"}):
            raise ValueError(
                f"subband = {self.subband!r}: {wanted} letters L or H were expected, such as {'LLH'[-wanted:]!r}"
            )
        return self

    @property
    def subbands(self) -> tuple[str, ...]:
        """The subbands asked for."""
        if self.subband is not None:
            return (self.subband,)
        every = ("".join(letters) for letters in product("LH", repeat=2 if self.by_slice else 3))
        if self.rotation_invariance:
            return tuple(dict.fromkeys("".join(sorted(letters, reverse=True)) for letters in every))
        return tuple(every)


def labels(settings: Settings) -> tuple[str, ...]:
    invariant = f"invariant-{settings.pooling}" if settings.rotation_invariance else ""
    return tuple(
        label(
            "wavelet",
            settings,
            settings.dimension,
            settings.wavelet,
            subband,
            "level",
            number(settings.level),
            invariant,
        )
        for subband in settings.subbands
    )


def cascade(taps: Array, low: Array, level: int) -> Cascade:
    """The convolutions of one axis up to a level: low-pass filters, each with as many zeros after every tap as its level asks for, and
    the level's own filter."""
    kernels = []
    for step in range(level):
        own = taps if step == level - 1 else low
        spread = np.zeros(len(own) * 2**step)
        spread[:: 2**step] = own
        kernels.append(Kernel.of(spread))
    return tuple(kernels)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[Array]:
    """One map per subband, float64; reads the kernels' reach around the box.

    Every level filters the low-pass map of the level before, and the boundary condition holds for that map.
    """
    low, high = wavelet_taps(settings.wavelet)
    filters = {"L": cascade(low, low, settings.level), "H": cascade(high, low, settings.level)}
    axes, rows, subbands = settings.axes, box_rows(box), settings.subbands
    if settings.rotation_invariance:
        for subband in subbands:
            kernels = [filters[letter] for letter in subband]
            yield rotation_pooled(image.values, rows, kernels, axes, settings.boundary, settings.pooling)
        return
    used = ["".join(sorted({subband[n] for subband in subbands})) for n in range(len(axes))]
    cascades = on_axes(axes, [[filters[letter] for letter in letters] for letters in used])
    needed, maps = linear_maps(image.geometry.shape, rows, cascades, settings.boundary)
    partial: dict[str, Array] = {"": read(image.values, needed)}
    for done, subband in enumerate(subbands, start=1):  # neighbours share their first letters' responses
        for n, (axis, letter) in enumerate(zip(axes, subband, strict=True)):
            if subband[: n + 1] not in partial:
                partial[subband[: n + 1]] = along(partial[subband[:n]], axis, maps[axis][used[n].index(letter)])
        response = partial[subband]
        partial = {prefix: partial[prefix] for prefix in partial if any(s.startswith(prefix) for s in subbands[done:])}
        yield response
