"""Ultrasound of a thyroid nodule: one frame in 8 bits, with the speckle, shadows and gain of its machine.

A frame is made as a scanner makes it: tissue reflects with an amplitude (in decibels, against the gland), the pulse turns random
scatterers into speckle, depth and dense tissue weaken what comes back, and the logarithm of the envelope is stored as grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MACHINES", "Frame", "Machine", "Nodule", "render_frame"]

Array = NDArray[np.float64]

_SKIN_MM, _MUSCLE_MM = 1.5, 5.0
_DECIBEL = 20 / np.log(10)
_MOST = 1.08  # how far a border reaches beyond its ellipse


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One ultrasound machine and its settings.

    Parameters
    ----------
    name : str
        Invented.
    rows, columns : int
    pixel_mm : float
    axial_mm, lateral_mm : float
        Standard deviations of the pulse along and across the beam.
    dynamic_range_db : float
        What is shown between black and white.
    gain_db : float
    """

    name: str
    rows: int
    columns: int
    pixel_mm: float
    axial_mm: float
    lateral_mm: float
    dynamic_range_db: float
    gain_db: float


MACHINES = MappingProxyType(
    {
        "A": Machine(
            name="Linea 7", rows=176, columns=224, pixel_mm=0.13, axial_mm=0.10, lateral_mm=0.20, dynamic_range_db=60, gain_db=-26
        ),
        "B": Machine(
            name="Sonora", rows=192, columns=208, pixel_mm=0.12, axial_mm=0.12, lateral_mm=0.18, dynamic_range_db=66, gain_db=-31
        ),
        "C": Machine(
            name="Echora V", rows=160, columns=208, pixel_mm=0.14, axial_mm=0.11, lateral_mm=0.24, dynamic_range_db=54, gain_db=-22
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodule:
    """What a nodule is.

    Parameters
    ----------
    size_mm : float
        Its longest diameter.
    heterogeneity_db : float
        Standard deviation of its echogenicity from place to place.
    grain_mm : float
        Over which distance that varies.
    calcifications : float
        Expected number of bright points in a frame.
    echogenicity_db : float
        Against the gland; papillary carcinoma is darker.
    irregularity : float
        Of its border: standard deviation of the radius, relative.
    rim_mm, rim_db : float
        How far around it, and with which standard deviation of its echogenicity, the gland is disturbed; 0: not at all.
    """

    size_mm: float
    heterogeneity_db: float
    grain_mm: float = 0.9
    calcifications: float = 2.0
    echogenicity_db: float = -8.0
    irregularity: float = 0.08
    rim_mm: float = 0.0
    rim_db: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame: values uint8 and mask bool, both shape (j, i), and the size of a pixel."""

    values: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    pixel_mm: float


def render_frame(nodule: Nodule, machine: Machine, rng: np.random.Generator) -> Frame:
    """One frame of a nodule; another draw is another cut through it.

    Parameters
    ----------
    nodule : Nodule
    machine : Machine
    rng : Generator
    """
    depth, across = (np.arange(n) * machine.pixel_mm for n in (machine.rows, machine.columns))
    y, x = np.meshgrid(depth, across, indexing="ij")
    inside = _outline(nodule, y, x, rng)
    echo = _gland(y, x, machine, rng)
    tissue = nodule.echogenicity_db + nodule.heterogeneity_db * _field(rng, y.shape, nodule.grain_mm / machine.pixel_mm)
    if nodule.rim_mm > 0:
        echo += _rim(nodule, inside, machine.pixel_mm, rng)
    soft = _blurred(inside.astype(np.float64), 0.15 / machine.pixel_mm)
    echo += soft * (tissue - echo)
    echo += _calcifications(nodule, inside, y, x, rng)
    # what a dense nodule takes from the beam is missing below it
    echo -= 0.12 * np.cumsum(inside, axis=0) * machine.pixel_mm + 0.25 * y
    amplitude = np.exp((echo + machine.gain_db) / _DECIBEL)
    pulse = (machine.axial_mm / machine.pixel_mm, machine.lateral_mm / machine.pixel_mm)
    real, imaginary = (_blurred(amplitude * rng.standard_normal(y.shape), pulse) for _ in range(2))
    energy = np.sqrt(4 * np.pi * pulse[0] * pulse[1])  # blurring white noise divides its deviation by this
    envelope = energy * np.hypot(real, imaginary)
    shown = 255 * (1 + _DECIBEL * np.log(np.maximum(envelope, 1e-6)) / machine.dynamic_range_db)
    return Frame(np.clip(np.rint(shown), 0, 255).astype(np.uint8), inside, machine.pixel_mm)


def _outline(nodule: Nodule, y: Array, x: Array, rng: np.random.Generator) -> NDArray[np.bool_]:
    """An ellipse, longer than it is deep or the other way round, with an uneven border; in the gland and inside the frame."""
    longest = nodule.size_mm / 2
    ratio = rng.uniform(0.65, 0.95)
    half = np.array([longest * ratio, longest]) if rng.random() < 0.7 else np.array([longest, longest * ratio])
    room_y, room_x = y.max() - _MUSCLE_MM, x.max()
    half = np.minimum(half, 0.44 * np.array([room_y, room_x]))
    centre_y = _MUSCLE_MM + room_y / 2 + rng.uniform(-1, 1) * (0.96 * room_y / 2 - _MOST * half[0])
    centre_x = room_x / 2 + rng.uniform(-1, 1) * (0.96 * room_x / 2 - _MOST * half[1])
    v, u = (y - centre_y) / half[0], (x - centre_x) / half[1]
    angle = np.arctan2(v, u)
    waves = np.arange(2, 9)
    size = rng.standard_normal((2, len(waves))) / waves
    size *= nodule.irregularity / np.sqrt((size**2).sum() / 2)
    border = 1 + sum(a * np.cos(k * angle) + b * np.sin(k * angle) for k, a, b in zip(waves, *size, strict=True))
    inside: NDArray[np.bool_] = np.hypot(v, u) < np.minimum(border, _MOST)
    return inside


def _rim(nodule: Nodule, inside: NDArray[np.bool_], pixel_mm: float, rng: np.random.Generator) -> Array:
    """What the tissue around a nodule has beside the gland's own texture, in decibels; it fades outwards."""
    from scipy import ndimage

    away = ndimage.distance_transform_edt(~inside) * pixel_mm
    reach = np.exp(-0.5 * (away / (nodule.rim_mm / 2)) ** 2) * ~inside
    return np.asarray(nodule.rim_db * reach * _field(rng, inside.shape, nodule.grain_mm / pixel_mm))


def _gland(y: Array, x: Array, machine: Machine, rng: np.random.Generator) -> Array:
    """Skin, muscle in layers, and the gland, each with its own texture, in decibels."""
    shape = y.shape
    layer = y + 0.6 * _field(rng, shape, 4 / machine.pixel_mm)
    muscle = -9 + 5 * np.cos(2 * np.pi * layer / 1.4)
    gland = 1.2 * _field(rng, shape, 1.6 / machine.pixel_mm)
    found = np.where(layer < _SKIN_MM, 3.0, np.where(layer < _MUSCLE_MM, muscle, gland))
    capsule = 7 * np.exp(-0.5 * ((layer - _MUSCLE_MM) / 0.2) ** 2)
    return np.asarray(found + capsule)


def _calcifications(nodule: Nodule, inside: NDArray[np.bool_], y: Array, x: Array, rng: np.random.Generator) -> Array:
    """Bright points of a quarter of a millimetre, in decibels."""
    places = np.argwhere(inside)
    found = np.zeros(y.shape)
    for _ in range(rng.poisson(nodule.calcifications)):
        row, column = places[rng.integers(len(places))]
        away = (y - y[row, column]) ** 2 + (x - x[row, column]) ** 2
        found = np.maximum(found, rng.uniform(14, 22) * np.exp(-0.5 * away / rng.uniform(0.12, 0.25) ** 2))
    return found


def _field(rng: np.random.Generator, shape: tuple[int, ...], correlation: float) -> Array:
    """A smooth random field of mean 0 and variance 1; `correlation` in pixels."""
    field = _blurred(rng.standard_normal(shape), correlation / np.sqrt(2))
    return (field - field.mean()) / field.std()


def _blurred(values: Array, sigma: Any) -> Array:
    from scipy import ndimage

    return np.asarray(ndimage.gaussian_filter(values, sigma), dtype=np.float64)
