"""The lesion: an outline of known irregularity, filled with tissue of known heterogeneity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.synthetic.fields import Axes, Volume, smooth_field

__all__ = ["Lesion", "plan_lesion", "render_lesion", "trachea_shift_mm"]

N_WAVES = 24


@dataclass(frozen=True, slots=True)
class Lesion:
    """What is planted in the image of one patient.

    Parameters
    ----------
    centre_mm : tuple of 3 floats
        (z, y, x) in the patient: upwards, backwards, to the patient's left; (0, 0, 0) is the middle of the neck.
    half_axes_mm : tuple of 3 floats
        Of the smooth ellipsoid under the irregular outline, (z, y, x).
    irregularity : float
        Standard deviation of the outline's radius around the ellipsoid's, as a share of it.
    mean_hu, amplitude_hu : float
        Of the solid tissue: its mean and the standard deviation of its texture.
    correlation_mm : float
        How coarse the texture is.
    necrotic_fraction : float
        Share of the inner volume without blood supply.
    calcifications : int
        Small bright grains.
    populations : int
        Kinds of solid tissue, each with the same share of the volume; 1 is a homogeneous lesion.
    step_hu : float
        Between the means of one kind and the next.
    patch_mm : float
        How large the pieces of one kind are (correlation length of the field that deals them): small pieces are interwoven.
    """

    centre_mm: tuple[float, float, float]
    half_axes_mm: tuple[float, float, float]
    irregularity: float
    mean_hu: float
    amplitude_hu: float
    correlation_mm: float
    necrotic_fraction: float
    calcifications: int
    populations: int = 1
    step_hu: float = 0.0
    patch_mm: float = 1.0

    @property
    def side(self) -> int:
        """1 on the patient's left, -1 on the right."""
        return 1 if self.centre_mm[2] > 0 else -1


def plan_lesion(
    rng: np.random.Generator, *, texture: float, shape: float, diameter_mm: float, extends: bool, medial_mm: float
) -> Lesion:
    """The lesion of a patient whose texture and shape parts are known (standardised; 0 is the average patient).

    Parameters
    ----------
    rng : Generator
    texture, shape : float
        Parts of the risk: heterogeneity of the tissue, irregularity of the outline.
    diameter_mm : float
        Longest diameter (thyroid lesions grow along the lobe, so it stands upright).
    extends : bool
        The lesion has grown through the capsule, forwards into the strap muscles.
    medial_mm : float
        Distance of the tracheal wall from the midline: the lesion lies lateral of it.
    """
    half = diameter_mm / 2.0
    half_z, half_y, half_x = half, half * rng.normal(0.80, 0.03), half * rng.normal(0.68, 0.03)
    side = 1 if rng.uniform() < 0.5 else -1
    beside = medial_mm + 0.95 * half_x - trachea_shift_mm(half_x)
    centre_x = side * max(beside, rng.normal(17.0, 1.0))
    centre_y = -19.0 + rng.normal(0, 1.0) - (0.25 * half_y if extends else 0.0)
    centre_z = float(np.clip(rng.normal(0, 5.0), half - 26.0, 26.0 - half)) if half < 26.0 else 0.0
    return Lesion(
        centre_mm=(centre_z, centre_y, centre_x),
        half_axes_mm=(half_z, half_y, half_x),
        irregularity=float(0.07 * np.exp(0.45 * shape)),
        mean_hu=float(rng.normal(90.0, 7.0)),
        amplitude_hu=float(16.0 * np.exp(0.40 * texture)),
        correlation_mm=float(2.2 * np.exp(0.15 * texture)),
        necrotic_fraction=float(0.35 / (1.0 + np.exp(-1.6 * (texture - 0.6)))),
        calcifications=int(rng.poisson(1.5)),
    )


def trachea_shift_mm(half_x_mm: float) -> float:
    """How far a lesion of this half width pushes the trachea to the other side."""
    return 0.45 * max(0.0, half_x_mm - 7.0)


def render_lesion(
    lesion: Lesion, axes: Axes, rng: np.random.Generator
) -> tuple[tuple[slice, slice, slice], Volume, Volume]:
    """Where the lesion is, how much of each voxel it fills, and its Hounsfield units there.

    Parameters
    ----------
    lesion : Lesion
    axes : tuple of 3 arrays
        Coordinates (z, y, x) of the anatomy's grid, millimetres.
    rng : Generator

    Returns
    -------
    box : tuple of 3 slices
        The part of the grid that holds the lesion.
    filled, hu : float32 arrays on that part
        Share of the voxel inside the outline, 0 to 1; tissue values.
    """
    box = _box(lesion, axes)
    local: Axes = (axes[0][box[0]], axes[1][box[1]], axes[2][box[2]])
    depth_mm = _depth(lesion, local, rng)
    filled = np.clip(0.5 + depth_mm, 0.0, 1.0).astype(np.float32)
    hu = lesion.mean_hu + lesion.amplitude_hu * smooth_field(rng, local, lesion.correlation_mm)
    if lesion.populations > 1:
        hu = hu + _kinds(lesion, local, depth_mm, rng)
    dead = _necrosis(lesion, local, depth_mm, rng)
    hu = hu * (1 - dead) + (22.0 + 0.2 * (hu - lesion.mean_hu)) * dead
    _calcify(hu, depth_mm, local, lesion.calcifications, rng)
    return box, filled, hu.astype(np.float32)


def _box(lesion: Lesion, axes: Axes) -> tuple[slice, slice, slice]:
    reach = 1.0 + 4.0 * lesion.irregularity
    sides = []
    for axis, centre, half in zip(axes, lesion.centre_mm, lesion.half_axes_mm, strict=True):
        first, last = np.searchsorted(axis, [centre - reach * half - 2.0, centre + reach * half + 2.0])
        sides.append(slice(int(first), int(last)))
    return sides[0], sides[1], sides[2]


def _depth(lesion: Lesion, local: Axes, rng: np.random.Generator) -> Volume:
    """How deep each voxel lies under the outline, millimetres; negative outside."""
    z, y, x = (
        (axis - np.float32(centre)) / np.float32(half)
        for axis, centre, half in zip(local, lesion.centre_mm, lesion.half_axes_mm, strict=True)
    )
    z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
    radius = np.sqrt(z * z + y * y + x * x) + np.float32(1e-6)
    bumps = _bumps((z / radius, y / radius, x / radius), rng)
    # the mean of the cubed radius grows with the bumps: taken back, so that shape does not leak into volume
    outline = (1.0 + lesion.irregularity * bumps) / (1.0 + 3.0 * lesion.irregularity**2) ** (1 / 3)
    mean_half = float(np.mean(lesion.half_axes_mm))
    return ((outline - radius) * mean_half).astype(np.float32)


def _bumps(direction: tuple[Volume, Volume, Volume], rng: np.random.Generator) -> Volume:
    """A random function of the direction with mean 0 and variance about 1: lobules and spicules."""
    waves = rng.standard_normal((N_WAVES, 3))
    waves *= (rng.uniform(3.0, 9.0, N_WAVES) / np.linalg.norm(waves, axis=1))[:, None]
    phases = rng.uniform(0, 2 * np.pi, N_WAVES)
    total = np.zeros_like(direction[0])
    for (k_z, k_y, k_x), phase in zip(waves.astype(np.float32), phases.astype(np.float32), strict=True):
        total += np.cos(k_z * direction[0] + k_y * direction[1] + k_x * direction[2] + phase)
    return total * np.float32(np.sqrt(2.0 / N_WAVES))


def _kinds(lesion: Lesion, local: Axes, depth_mm: Volume, rng: np.random.Generator) -> Volume:
    """What each voxel's kind of tissue adds to the mean: kinds are the levels of a smooth field between its quantiles."""
    field = smooth_field(rng, local, lesion.patch_mm)
    inside = depth_mm > 0
    if not inside.any():
        return np.zeros_like(depth_mm)
    limits = np.quantile(field[inside], np.arange(1, lesion.populations) / lesion.populations)
    kind = np.searchsorted(limits, field)
    return (lesion.step_hu * (kind - (lesion.populations - 1) / 2)).astype(np.float32)


def _necrosis(lesion: Lesion, local: Axes, depth_mm: Volume, rng: np.random.Generator) -> Volume:
    """Share of dead tissue per voxel: where a coarse field is lowest, away from the rim."""
    field = smooth_field(rng, local, 0.35 * float(np.mean(lesion.half_axes_mm)))
    inside = depth_mm > min(2.0, 0.25 * min(lesion.half_axes_mm))
    if not inside.any():
        return np.zeros_like(depth_mm)
    level = np.quantile(field[inside], lesion.necrotic_fraction)
    edge = np.clip(depth_mm - min(1.0, 0.15 * min(lesion.half_axes_mm)), 0.0, 1.0)
    return (np.clip(0.5 + (level - field) / 0.15, 0.0, 1.0) * edge).astype(np.float32)


def _calcify(hu: Volume, depth_mm: Volume, local: Axes, grains: int, rng: np.random.Generator) -> None:
    inside = np.argwhere(depth_mm > 1.5)
    if len(inside) == 0:
        return
    for _ in range(grains):
        k, j, i = inside[rng.integers(len(inside))]
        peak, width_mm = rng.uniform(200.0, 700.0), rng.uniform(0.5, 0.9)
        near = tuple(slice(max(n - 2, 0), n + 3) for n in (k, j, i))
        squared = sum(
            np.square(axis[part] - axis[n]).reshape([-1 if d == a else 1 for d in range(3)])
            for a, (axis, part, n) in enumerate(zip(local, near, (k, j, i), strict=True))
        )
        hu[near] += (peak * np.exp(-0.5 * squared / width_mm**2)).astype(np.float32)
