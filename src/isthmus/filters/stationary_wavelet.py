"""PyRadiomics' wavelet: the undecimated separable transform with periodic continuation, as PyWavelets computes it.

Not IBSI's `wavelet`, whose boundary and alignment are stated by its own settings. A band's letters say low or high along x, y
and z, in this order. Each level filters the approximation of the level before with the same taps.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from isthmus import _core
from isthmus.errors import did_you_mean
from isthmus.filters._spec import Box, FilterSettings
from isthmus.filters._wavelet_taps import wavelet_names, wavelet_taps
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "stationary_wavelet"


class Settings(FilterSettings):
    """wavelet: its name in PyWavelets. level: how many levels give maps. start_level: how many approximations come first.

    flat_axis: an axis that is not transformed (PyRadiomics' force2Ddimension); null transforms all three.
    """

    name: Literal["stationary_wavelet"] = "stationary_wavelet"
    wavelet: str = "coif1"
    level: int = Field(default=1, ge=1, le=16)
    start_level: int = Field(default=0, ge=0, le=16)
    flat_axis: Literal["k", "j", "i"] | None = None

    @field_validator("wavelet")
    @classmethod
    def _known(cls, wavelet: str) -> str:
        if wavelet not in wavelet_names():
            raise ValueError(f"unknown wavelet {wavelet!r}.{did_you_mean(wavelet, wavelet_names())}")
        return wavelet


def labels(settings: Settings) -> tuple[str, ...]:
    """Details level by level, each but the first with its number, and the last level's approximation."""
    approximation, *details = _bands(settings)
    names = [f"wavelet{_number(level)}-{_letters(band)}" for level in range(1, settings.level + 1) for band in details]
    return (*names, f"wavelet{_number(settings.level)}-{_letters(approximation)}")


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[Any]]:
    """The bands in the order of `labels`: float32 for a float32 image, otherwise float64."""
    single = image.values.dtype == np.float32
    low_taps, high_taps = (taps.tolist() for taps in wavelet_taps(settings.wavelet, single=single))
    transform_of = _core.StationaryWavelet32 if single else _core.StationaryWavelet64
    axes = [axis != settings.flat_axis for axis in "kji"]
    low, high = [part.start for part in box], [part.stop for part in box]
    along_i_and_j = list(product(*((0,) if axis == settings.flat_axis else (0, 1) for axis in "ij")))
    for level in range(settings.start_level, settings.start_level + settings.level):
        transform = transform_of(image.values, low_taps, high_taps, axes, low, high, level)
        for filters in along_i_and_j:
            bands = transform.bands(list(filters))
            if filters == (0, 0):
                approximation = bands.pop(0)
            while bands:  # each is let go before the next one is made
                yield bands.pop(0)
    yield approximation


def _number(level: int) -> str:
    return "" if level == 1 else str(level)


_FLAT = -1


def _bands(settings: Settings) -> list[tuple[int, ...]]:
    """Filters along i, j, k (0 low, 1 high, -1 none) of every band; the approximation is the first."""
    return list(product(*((_FLAT,) if axis == settings.flat_axis else (0, 1) for axis in "ijk")))


def _letters(band: tuple[int, ...]) -> str:
    return "".join("LH"[letter] for letter in band if letter != _FLAT)
