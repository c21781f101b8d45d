"""What a PET scanner makes of uptake: coarse voxels, a wide point spread and noise that grows with the counts."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.synthetic.brain import centred_axis
from isthmus.synthetic.fields import Axes, Volume, apply_along_axes, smooth_field

__all__ = ["PET_SCANNERS", "PetScan", "PetScanner", "pet_scan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PetScanner:
    """One scanner: its name (invented), voxel and point spread (sd) in mm, noise as a share of the root of the uptake, and what calibration
    multiplies."""

    model: str
    slice_mm: float
    pixel_mm: float
    blur_mm: float
    noise: float
    gain: float

    @property
    def sidecar(self) -> dict[str, Any]:
        """Facts in the words of BIDS."""
        return {
            "Modality": "PT",
            "Manufacturer": "Synthetic Vendor 4",
            "ManufacturersModelName": self.model,
            "SliceThickness": self.slice_mm,
            "PixelSpacing": [self.pixel_mm, self.pixel_mm],
            "Units": "GML",
            "SeriesDescription": "FDG, body weight SUV, synthetic",
        }


PET_SCANNERS = MappingProxyType(
    {
        "A": PetScanner(model="Ring 40", slice_mm=3.27, pixel_mm=3.5, blur_mm=2.3, noise=0.10, gain=1.0),
        "B": PetScanner(model="Ring 64", slice_mm=3.0, pixel_mm=4.0, blur_mm=2.6, noise=0.13, gain=0.94),
        "C": PetScanner(model="Halo", slice_mm=4.0, pixel_mm=4.0, blur_mm=2.8, noise=0.12, gain=1.07),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class PetScan:
    """`values` (SUV) and `mask` (k, j, i), `spacing_mm` (k, j, i), `origin_mm` (x, y, z)."""

    values: NDArray[np.float32]
    mask: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]


def pet_scan(uptake: Volume, lesion: Volume, axes: Axes, scanner: PetScanner, rng: np.random.Generator) -> PetScan:
    """The uptake as this scanner shows it.

    Parameters
    ----------
    uptake : array, shape (k, j, i)
        Standardised uptake value of the anatomy.
    lesion : array, same shape
        Share of each voxel that is lesion.
    axes : tuple of 3 arrays
        Coordinates (z, y, x) of the anatomy's grid, millimetres, around 0.
    scanner : PetScanner
    rng : Generator
    """
    spaces = (scanner.slice_mm, scanner.pixel_mm, scanner.pixel_mm)
    grid = [centred_axis(float(axis[-1]) - 4, step) for axis, step in zip(axes, spaces, strict=True)]
    spread = [_weights(old, new, scanner.blur_mm) for old, new in zip(axes, grid, strict=True)]
    drawn = [_weights(old, new, 0.5 * step) for old, new, step in zip(axes, grid, spaces, strict=True)]
    seen = apply_along_axes(uptake, (spread[0], spread[1], spread[2]))
    places = [axis.astype(np.float32) for axis in grid]
    grain = smooth_field(rng, (places[0], places[1], places[2]), 1.2 * scanner.blur_mm)
    seen += scanner.noise * np.sqrt(np.clip(seen, 0.05, None)) * grain
    filled = apply_along_axes(lesion, (drawn[0], drawn[1], drawn[2]))
    return PetScan(
        values=np.clip(scanner.gain * seen, 0, None).astype(np.float32),
        mask=(filled >= 0.5).astype(np.uint8),
        spacing_mm=spaces,
        origin_mm=(float(grid[2][0]), float(grid[1][0]), float(grid[0][0])),
    )


def _weights(old: NDArray[np.float32], new: NDArray[np.float64], width_mm: float) -> Volume:
    weights = np.exp(-0.5 * ((new[:, None] - old) / width_mm) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
