"""The scanner: what it makes of an anatomy, and what it writes about itself.

A centre has one scanner. Its point spread, slice thickness, noise and calibration turn the same patient into different
numbers, which is what a study over several centres has to survive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.synthetic.fields import Axes, Volume, apply_along_axes

__all__ = ["SCANNERS", "Acquisition", "Grid", "Scanner", "acquire", "outline", "scanner_grid", "scanner_of"]

Grid = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Coordinates (z, y, x) of voxel centres, millimetres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """One CT scanner and its protocol.

    Parameters
    ----------
    manufacturer, model, kernel : str
        What the sidecar says; the names are invented.
    kvp : int
    pixels, slices : int
        Matrix size (square) and number of slices.
    pixel_mm, slice_spacing_mm, slice_thickness_mm : float
    blur_mm : float
        Standard deviation of the point spread in the plane.
    noise_hu : float
        Standard deviation of the noise in the middle of the neck.
    grain_mm : float
        How coarse the noise is in the plane.
    sharpening : float
        Share of the low frequencies that the kernel takes out of the noise (0 soft, towards 1 sharp).
    offset_hu : float
        Error of calibration.
    """

    manufacturer: str
    model: str
    kernel: str
    kvp: int
    pixels: int
    slices: int
    pixel_mm: float
    slice_spacing_mm: float
    slice_thickness_mm: float
    blur_mm: float
    noise_hu: float
    grain_mm: float
    sharpening: float
    offset_hu: float

    @property
    def sidecar(self) -> dict[str, Any]:
        """Facts in the words of BIDS, as dcm2niix writes them beside a NIfTI file."""
        return {
            "Modality": "CT",
            "Manufacturer": self.manufacturer,
            "ManufacturersModelName": self.model,
            "KVP": self.kvp,
            "ConvolutionKernel": self.kernel,
            "SliceThickness": self.slice_thickness_mm,
            "SpacingBetweenSlices": self.slice_spacing_mm,
            "PixelSpacing": [self.pixel_mm, self.pixel_mm],
            "ContrastBolusIngredient": "IODINE",
            "ContrastPhase": "venous",
            "SeriesDescription": "Neck, venous phase, synthetic",
        }


SCANNERS = (
    Scanner(
        manufacturer="Synthetic Vendor 1", model="Neckscan 64", kernel="soft-2", kvp=120,
        pixels=128, slices=40, pixel_mm=0.9375, slice_spacing_mm=1.5, slice_thickness_mm=1.5,
        blur_mm=0.65, noise_hu=9.0, grain_mm=0.9, sharpening=0.2, offset_hu=0.0,
    ),
    Scanner(
        manufacturer="Synthetic Vendor 2", model="Helix 16", kernel="sharp-5", kvp=100,
        pixels=120, slices=30, pixel_mm=1.0, slice_spacing_mm=2.0, slice_thickness_mm=2.5,
        blur_mm=0.50, noise_hu=15.0, grain_mm=0.6, sharpening=0.8, offset_hu=6.0,
    ),
    Scanner(
        manufacturer="Synthetic Vendor 3", model="Spectra 128", kernel="medium-4", kvp=110,
        pixels=124, slices=48, pixel_mm=0.96, slice_spacing_mm=1.25, slice_thickness_mm=1.25,
        blur_mm=0.55, noise_hu=12.0, grain_mm=0.75, sharpening=0.5, offset_hu=-4.0,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Acquisition:
    """What the scanner gives: `values` and `mask` (k, j, i), `spacing_mm` (k, j, i), `origin_mm` (x, y, z)."""

    values: NDArray[np.int16]
    mask: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]


def scanner_of(centre: str, centres: tuple[str, ...]) -> Scanner:
    """The scanner of a centre: the first centre has the first, and so on, from the start again when there are more."""
    return SCANNERS[centres.index(centre) % len(SCANNERS)]


def scanner_grid(scanner: Scanner) -> Grid:
    """The whole field of view of a scanner."""
    across = _centred(scanner.pixels, scanner.pixel_mm)
    return _centred(scanner.slices, scanner.slice_spacing_mm), across, across.copy()


def acquire(
    hu: Volume, lesion: Volume, axes: Axes, scanner: Scanner, rng: np.random.Generator, grid: Grid | None = None
) -> Acquisition:
    """The anatomy as this scanner shows it.

    Parameters
    ----------
    hu : array, shape (k, j, i)
        The anatomy in Hounsfield units.
    lesion : array, same shape
        Share of each voxel that is lesion.
    axes : tuple of 3 arrays
        Coordinates (z, y, x) of the anatomy's grid, millimetres.
    scanner : Scanner
    rng : Generator
    grid : Grid, optional
        A part of the scanner's field of view, within `axes`; the whole by default.
    """
    z, y, x = scanner_grid(scanner) if grid is None else grid
    through = _slice_profile(axes[0], z, scanner.slice_thickness_mm)
    seen = (_point_spread(axes[1], y, scanner.blur_mm), _point_spread(axes[2], x, scanner.blur_mm))
    values = apply_along_axes(hu, (through, *seen))
    dose = np.exp(rng.normal(0, 0.08))  # heavier patients are noisier
    values += scanner.noise_hu * dose * _noise(rng, values.shape, y, x, scanner) * _noise_profile(values, y, x)
    values = np.clip(np.round(values + scanner.offset_hu), -1024, 3071)
    return Acquisition(
        values=values.astype(np.int16),
        mask=outline(lesion, axes, scanner, grid),
        spacing_mm=(scanner.slice_spacing_mm, scanner.pixel_mm, scanner.pixel_mm),
        origin_mm=(float(x[0]), float(y[0]), float(z[0])),
    )


def outline(share: Volume, axes: Axes, scanner: Scanner, grid: Grid | None = None) -> NDArray[np.uint8]:
    """A structure as drawn on this scanner's voxels: 1 where it fills at least half of the voxel.

    Parameters
    ----------
    share : array, shape (k, j, i)
        Share of each voxel of the anatomy that is the structure.
    axes, scanner, grid
        As for `acquire`.
    """
    z, y, x = scanner_grid(scanner) if grid is None else grid
    drawn = (_point_spread(axes[1], y, 0.5), _point_spread(axes[2], x, 0.5))
    filled = apply_along_axes(share, (_slice_profile(axes[0], z, scanner.slice_spacing_mm), *drawn))
    return (filled >= 0.5).astype(np.uint8)


def _centred(n: int, step: float) -> NDArray[np.float64]:
    return (np.arange(n, dtype=np.float64) - (n - 1) / 2) * step


def _slice_profile(old: NDArray[np.float32], new: NDArray[np.float64], thickness_mm: float) -> Volume:
    """Weights of a slice `thickness_mm` thick: a box, its ends shared with the voxels they cut."""
    step = float(old[1] - old[0])
    overlap = np.clip((thickness_mm + step) / 2 - np.abs(new[:, None] - old), 0.0, min(step, thickness_mm))
    return (overlap / overlap.sum(axis=1, keepdims=True)).astype(np.float32)


def _point_spread(old: NDArray[np.float32], new: NDArray[np.float64], blur_mm: float) -> Volume:
    weights = np.exp(-0.5 * ((new[:, None] - old) / blur_mm) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _noise(
    rng: np.random.Generator, shape: tuple[int, ...], y: NDArray[np.float64], x: NDArray[np.float64], scanner: Scanner
) -> Volume:
    """Noise of unit variance whose grain is the kernel's."""
    white = rng.standard_normal(shape, dtype=np.float32)
    (fine_y, coarse_y), (fine_x, coarse_x) = (
        [_point_spread(axis.astype(np.float32), axis, width * scanner.grain_mm) for width in (1.0, 2.5)]
        for axis in (y, x)
    )
    noise = fine_y @ (white @ fine_x.T)
    noise -= scanner.sharpening * (coarse_y @ (white @ coarse_x.T))
    return np.asarray(noise / noise.std(), dtype=np.float32)


def _noise_profile(values: Volume, y: NDArray[np.float64], x: NDArray[np.float64]) -> Volume:
    """More noise where the rays cross more tissue; little in the air around the patient."""
    squared = (y[:, None] ** 2 + x[None, :] ** 2).astype(np.float32)
    in_plane = 0.65 + 0.35 * np.exp(-0.5 * squared / 35.0**2)
    return np.where(values < -700.0, 0.6, 1.0).astype(np.float32) * in_plane
