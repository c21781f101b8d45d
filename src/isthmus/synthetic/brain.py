"""Brain on magnetic resonance images: grey and white matter, fluid, and the scanners that make numbers without a unit of them.

Values before the scanner are relative: white matter of a T1-weighted image is 1. A volume may be sampled in any orientation;
who makes it says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.synthetic.fields import Axes, Volume, apply_along_axes, smooth_field

__all__ = [
    "CONTRASTS",
    "EXTERNAL_CENTRE",
    "MR_SCANNERS",
    "MrScanner",
    "brain_tissue",
    "centred_axis",
    "magnetised",
    "soft",
]

EXTERNAL_CENTRE = "E"
"""The centre that trains nothing."""

CONTRASTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "t1": MappingProxyType({"white": 1.00, "grey": 0.72, "fluid": 0.25, "bone": 0.12}),
        "t2": MappingProxyType({"white": 0.45, "grey": 0.62, "fluid": 1.40, "bone": 0.08}),
    }
)
"""Relative signal of each tissue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MrScanner:
    """One scanner and its protocol.

    Parameters
    ----------
    manufacturer, model : str
        What the sidecar says; the names are invented.
    tesla : float
    slice_mm, pixel_mm : float
        Distance of slices and of pixels.
    gain : float
        The number that white matter on T1 gets: an arbitrary unit.
    noise : float
        Standard deviation in either channel, as a share of white matter.
    bias : float
        Standard deviation of the logarithm of the coil's sensitivity over the field of view.
    blur_mm : float
        Standard deviation of the point spread.
    """

    manufacturer: str
    model: str
    tesla: float
    slice_mm: float
    pixel_mm: float
    gain: float
    noise: float
    bias: float
    blur_mm: float

    def sidecar(self, description: str) -> dict[str, Any]:
        """Facts in the words of BIDS."""
        return {
            "Modality": "MR",
            "Manufacturer": self.manufacturer,
            "ManufacturersModelName": self.model,
            "MagneticFieldStrength": self.tesla,
            "SpacingBetweenSlices": self.slice_mm,
            "PixelSpacing": [self.pixel_mm, self.pixel_mm],
            "SeriesDescription": f"{description}, synthetic",
        }


def _scanner(number: int, tesla: float, slice_mm: float, pixel_mm: float, gain: float, *rest: float) -> MrScanner:
    noise, bias, blur_mm = rest
    return MrScanner(
        manufacturer=f"Synthetic Vendor {number}", model=f"Magnet {number}", tesla=tesla, slice_mm=slice_mm, pixel_mm=pixel_mm,
        gain=gain, noise=noise, bias=bias, blur_mm=blur_mm,
    )  # fmt: skip


MR_SCANNERS: Mapping[str, MrScanner] = MappingProxyType(
    {
        "A": _scanner(1, 3.0, 1.6, 1.00, 620.0, 0.030, 0.06, 0.55),
        "B": _scanner(2, 1.5, 2.0, 1.10, 310.0, 0.045, 0.04, 0.70),
        "C": _scanner(3, 3.0, 1.5, 0.95, 1150.0, 0.030, 0.08, 0.50),
        "D": _scanner(1, 1.5, 1.8, 1.00, 450.0, 0.040, 0.05, 0.65),
        "E": _scanner(2, 3.0, 1.7, 1.05, 820.0, 0.035, 0.07, 0.60),
    }
)
"""The scanner of each centre."""


def centred_axis(half_mm: float, step_mm: float) -> NDArray[np.float64]:
    """Places from -half to half, a whole number of steps around 0."""
    count = int(np.floor(half_mm / step_mm))
    return np.arange(-count, count + 1, dtype=np.float64) * step_mm


def soft(depth_mm: NDArray[Any], width_mm: float = 0.6) -> Volume:
    """Share of a voxel inside a structure, from the depth of its middle below the surface: 1/2 on it."""
    return (0.5 * (1.0 + np.tanh(depth_mm / width_mm))).astype(np.float32)


def brain_tissue(axes: Axes, rng: np.random.Generator, contrast: str, *, fold_mm: float = 5.0) -> Volume:
    """White matter, cortex and sulci in folds of random course.

    Parameters
    ----------
    axes : tuple of 3 arrays
        Places of the voxel centres along each axis, millimetres, rising.
    rng : Generator
    contrast : {"t1", "t2"}
    fold_mm : float
        How far apart the folds lie.
    """
    signal = CONTRASTS[contrast]
    course = smooth_field(rng, axes, fold_mm)
    outside_white = 0.5 * (1.0 + np.tanh(4.0 * (course - 0.5)))
    sulcus = 0.5 * (1.0 + np.tanh(5.0 * (course - 1.7)))
    values = signal["white"] + (signal["grey"] - signal["white"]) * outside_white
    return np.asarray(values + (signal["fluid"] - values) * sulcus, dtype=np.float32)


def magnetised(values: Volume, axes: Axes, scanner: MrScanner, rng: np.random.Generator) -> NDArray[np.int16]:
    """What the scanner makes of relative signal: blurred, under the sensitivity of its coil, with Rician noise, in its own unit."""
    spread = [_blur(axis, scanner.blur_mm) for axis in axes]
    seen = apply_along_axes(values, (spread[0], spread[1], spread[2]))
    coil = np.exp(scanner.bias * smooth_field(rng, axes, 45.0))
    real, imaginary = (scanner.noise * rng.standard_normal(seen.shape, dtype=np.float32) for _ in range(2))
    gain = scanner.gain * np.exp(rng.normal(0.0, 0.05))  # receivers are adjusted anew for every patient
    return np.round(gain * np.hypot(seen * coil + real, imaginary)).astype(np.int16)


def _blur(axis: NDArray[Any], width_mm: float) -> Volume:
    places = np.asarray(axis, dtype=np.float64)
    weights = np.exp(-0.5 * ((places[:, None] - places) / width_mm) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
