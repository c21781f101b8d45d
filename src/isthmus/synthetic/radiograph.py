"""A dental periapical radiograph in 8 bits: two roots, the bone between and below them, and its trabeculae.

A frame is made as film makes it: what the beam crosses adds up (bone, roots, the plates of the trabeculae), the sum is blurred by the
focus, its negative exponential is stored with the gamma of the unit, and photons add their noise. Trabeculae are the ridges of a smooth
random field, so that bone loses them as it does in life: they become fewer, and thinner.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNITS", "Jaw", "Radiograph", "Unit", "exposed", "render_radiograph", "trabeculae"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One X-ray unit: its name (invented), the focus' blur (sd) and pixel in mm, gamma, exposure, and noise in grey levels."""

    name: str
    pixel_mm: float
    blur_mm: float
    gamma: float
    exposure: float
    noise: float


UNITS = MappingProxyType(
    {
        "A": Unit(name="Apex 60", pixel_mm=0.15, blur_mm=0.12, gamma=1.0, exposure=1.0, noise=3.0),
        "B": Unit(name="Dentra", pixel_mm=0.15, blur_mm=0.16, gamma=1.15, exposure=1.1, noise=4.0),
        "C": Unit(name="Radix II", pixel_mm=0.16, blur_mm=0.14, gamma=0.9, exposure=0.92, noise=3.5),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jaw:
    """What a jaw is.

    Parameters
    ----------
    spacing_mm : float
        Between trabeculae.
    share : float
        Of the bone's face that trabeculae fill, 0 to 1.
    cortex : float
        What the plates in front and behind add, the same everywhere.
    """

    spacing_mm: float
    share: float
    cortex: float = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Radiograph:
    """Values uint8 and the region of trabecular bone bool, both shape (j, i), and the size of a pixel."""

    values: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    pixel_mm: float


def render_radiograph(
    jaw: Jaw, unit: Unit, rng: np.random.Generator, *, rows: int = 144, columns: int = 128
) -> Radiograph:
    """One radiograph of a jaw; another draw is another place in it.

    Parameters
    ----------
    jaw : Jaw
    unit : Unit
    rng : Generator
    rows, columns : int
    """
    depth, across = np.arange(rows) * unit.pixel_mm, np.arange(columns) * unit.pixel_mm
    y, x = np.meshgrid(depth, across, indexing="ij")
    width, height = across[-1], depth[-1]
    middle = width / 2 + rng.uniform(-0.8, 0.8)
    roots = np.zeros_like(y)
    for side in (-1, 1):
        tip = height * rng.uniform(0.45, 0.55)
        axis = middle + side * (width * 0.27 + rng.uniform(-0.4, 0.4)) + rng.uniform(-0.05, 0.05) * y
        half = 2.2 * np.sqrt(np.clip(1 - y / tip, 0, None))
        roots = np.maximum(roots, np.sqrt(np.clip(half**2 - (x - axis) ** 2, 0, None)))
    plates = trabeculae(rng, y.shape, jaw.spacing_mm / unit.pixel_mm, jaw.share)
    path = jaw.cortex + 0.8 * plates + 0.04 * _field(rng, y.shape, 4 / unit.pixel_mm) + 0.55 * roots
    grey = exposed(path, unit, rng)
    centre = height * rng.uniform(0.74, 0.8)
    mask = ((y - centre) / (0.17 * height)) ** 2 + ((x - middle) / (0.36 * width)) ** 2 < 1
    return Radiograph(grey, mask, unit.pixel_mm)


def exposed(path: Array, unit: Unit, rng: np.random.Generator) -> NDArray[np.uint8]:
    """What a unit shows of what the beam crosses (0: nothing), with its noise."""
    seen = _blurred(path, unit.blur_mm / unit.pixel_mm)
    grey = 255 * (1 - np.exp(-unit.exposure * seen)) ** unit.gamma
    grey += unit.noise * rng.standard_normal(path.shape)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def trabeculae(rng: np.random.Generator, shape: tuple[int, int], spacing: float, share: float) -> Array:
    """1 on trabeculae, 0 in the marrow between, with soft borders; the field is drawn out a little along the lines of load."""
    field = _field(rng, shape, (spacing / 2.2, spacing / 3.2))
    away = np.abs(field)  # zero crossings lie about a spacing apart
    edge = np.quantile(away, share)
    return np.asarray(1 / (1 + np.exp((away - edge) / 0.08)))


def _field(rng: np.random.Generator, shape: tuple[int, int], correlation: Any) -> Array:
    """A smooth random field of mean 0 and variance 1; `correlation` in pixels."""
    field = _blurred(rng.standard_normal(shape), np.asarray(correlation) / np.sqrt(2))
    return (field - field.mean()) / field.std()


def _blurred(values: Array, sigma: Any) -> Array:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(values, sigma), dtype=np.float64)
