"""The striatum on 123I-ioflupane SPECT: commas that become dots as transporters are lost, seen through a wide point spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.image import Geometry
from isthmus.synthetic.brain import MR_SCANNERS, MrScanner, brain_tissue, centred_axis, magnetised, soft
from isthmus.synthetic.fields import Axes, Volume, apply_along_axes, smooth_field

__all__ = ["BY_UPTAKE", "CAUDATE", "PUTAMEN", "REFERENCE", "Striatum", "StriatumScans", "of_uptake", "render_striatum"]

CAUDATE = {"left": 11, "right": 50}
PUTAMEN = {"left": 12, "right": 51}
"""Values in the mask: the numbers of FreeSurfer's colour table."""
REFERENCE = 100
"""Occipital cortex, which binds nothing in particular."""
BY_UPTAKE = ("spect_v", "spect_t")
"""Masks of the SPECT alone: what has at least a value (twice the reference), or a share of the side's largest value (half)."""

_VALUE, _THRESHOLD, _LEAST = 2.0, 0.5, 8

_VOXEL_MM = 2.0
_UP, _BACK, _LEFT = (-24.0, 36.0), (-52.0, 96.0), 62.0  # of the volume, millimetres from the middle of the brain
_SPREAD_MM = 3.4  # 8 mm at half maximum
_COUNTS = 60.0  # in a voxel of the reference


@dataclass(frozen=True, slots=True)
class Striatum:
    """What is planted in the images of one patient.

    Parameters
    ----------
    caudate, putamen : float
        Specific binding in front: uptake over that of the reference, less 1.
    gradient : float
        Logarithm of what the back of the putamen has lost more than its front.
    asymmetry : float
        Logarithm of the left side's binding over the right side's.
    patchiness : float
        Standard deviation of the binding from place to place, as a share of it.
    patch_mm : float
    """

    caudate: float
    putamen: float
    gradient: float
    asymmetry: float
    patchiness: float
    patch_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class StriatumScans:
    """`spect`, `mri` and `labels` (k, j, i): axial slices upwards, on one grid; labels as drawn on the MR image."""

    spect: NDArray[np.int16]
    mri: NDArray[np.int16]
    labels: NDArray[np.uint8]
    geometry: Geometry


def render_striatum(
    striatum: Striatum, rng: np.random.Generator, scanner: MrScanner = MR_SCANNERS["A"]
) -> StriatumScans:
    """SPECT of the striatum and of the reference region, and the MR image its outlines come from."""
    up = np.arange(_UP[0], _UP[1] + 1, _VOXEL_MM)
    back = np.arange(_BACK[0], _BACK[1] + 1, _VOXEL_MM)
    left = centred_axis(_LEFT, _VOXEL_MM)
    axes: Axes = (up.astype(np.float32), back.astype(np.float32), left.astype(np.float32))
    z, y, x = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    head = soft(60.0 * (1.0 - np.sqrt((x / 66) ** 2 + ((y - 16) / 86) ** 2 + (z / 62) ** 2)), 2.0)
    skull = soft(6.0 - np.abs(66.0 * (1.0 - np.sqrt((x / 72) ** 2 + ((y - 16) / 92) ** 2 + (z / 68) ** 2))), 2.0)
    uptake = 0.95 * head + 0.35 * skull
    mri = brain_tissue(axes, rng, "t1", fold_mm=7.0) * head + 0.1
    labels: NDArray[np.uint8] = np.zeros(uptake.shape, dtype=np.uint8)
    patches = 1.0 + striatum.patchiness * smooth_field(rng, axes, striatum.patch_mm)
    size = float(np.exp(rng.normal(0.0, 0.04)))
    for name, side in (("left", 1.0), ("right", -1.0)):
        share = np.exp(side * striatum.asymmetry / 2)
        for binding, depth, label in (
            (striatum.caudate, _caudate(x, y, z, side, size), CAUDATE[name]),
            (
                striatum.putamen * np.exp(-striatum.gradient * (y + 13) / 26),
                _putamen(x, y, z, side, size),
                PUTAMEN[name],
            ),
        ):
            inside = soft(depth)
            uptake = uptake + share * binding * np.maximum(patches, 0.05) * inside
            mri += (0.74 - mri) * inside
            labels[inside >= 0.5] = label
    occipital = np.sqrt((x / 30) ** 2 + ((y - 78) / 10) ** 2 + ((z - 4) / 14) ** 2)
    labels[np.broadcast_to(occipital < 1.0, labels.shape) & (labels == 0)] = REFERENCE
    spread = [_spread(axis) for axis in axes]
    seen = apply_along_axes(uptake.astype(np.float32), (spread[0], spread[1], spread[2]))
    dose = _COUNTS * np.exp(rng.normal(0.0, 0.15))
    counts = rng.poisson(dose * np.maximum(seen, 0.0)).astype(np.float32)
    narrow = [_spread(axis, 2.2) for axis in axes]  # the filter of the reconstruction
    smooth = apply_along_axes(counts, (narrow[0], narrow[1], narrow[2]))
    geometry = Geometry(
        shape=labels.shape,
        spacing_mm=(_VOXEL_MM, _VOXEL_MM, _VOXEL_MM),
        origin_mm=(float(left[0]), float(back[0]), float(up[0])),
    )
    return StriatumScans(
        np.round(10.0 * smooth).astype(np.int16), magnetised(mri, axes, scanner, rng), labels, geometry
    )


def of_uptake(scans: StriatumScans, how: str) -> NDArray[np.uint8]:
    """The striatum as a reader of the SPECT alone would have it, caudate and putamen told apart by a line of a template.

    Parameters
    ----------
    scans : StriatumScans
        Of its labels only the reference is used.
    how : {"spect_v", "spect_t"}

    Returns
    -------
    uint8 array, shape (k, j, i)
        Labels as in `CAUDATE`, `PUTAMEN` and `REFERENCE`; each at least its eight brightest voxels.
    """
    seen, geometry = scans.spect.astype(np.float64), scans.geometry
    x, y, z = (
        geometry.origin_mm[axis] + geometry.spacing_mm[2 - axis] * np.arange(geometry.shape[2 - axis])
        for axis in range(3)
    )
    x, y, z = x[None, None, :], y[None, :, None], z[:, None, None]
    around = (np.abs(x) > 4) & (np.abs(x) < 38) & (np.abs(y) < 27) & (z > -14) & (z < 26)
    value = _VALUE * float(seen[scans.labels == REFERENCE].mean())
    front = np.abs(x) < 18.8 + 0.195 * y  # the caudate lies within
    found = np.where(scans.labels == REFERENCE, REFERENCE, 0).astype(np.uint8)
    for name, side in (("left", x > 0), ("right", x < 0)):
        limit = value if how == "spect_v" else _THRESHOLD * float(seen[around & side].max())
        for label, place in ((CAUDATE[name], front), (PUTAMEN[name], ~front)):
            there = around & side & place
            bright = there & (seen >= min(limit, float(np.sort(seen[there])[-_LEAST])))
            found[bright] = label
    return found


def _caudate(x: Volume, y: Volume, z: Volume, side: float, size: float) -> Volume:
    """Depth in the head and body of a caudate nucleus."""
    along = np.clip((y + 12) / 22, 0.0, 1.0)  # thinner, and further out, behind
    across = (x - side * (11.0 + 5.0 * along)) / (4.6 * size * (1.0 - 0.45 * along))
    height = (z - 6.0 - 5.0 * along) / (8.0 * size * (1.0 - 0.4 * along))
    return np.asarray((1.0 - np.sqrt(across**2 + ((y + 8) / (15.0 * size)) ** 2 + height**2)) * 4.6)


def _putamen(x: Volume, y: Volume, z: Volume, side: float, size: float) -> Volume:
    """Depth in a putamen, which lies further out behind than in front."""
    across = (x - side * (24.0 + 0.16 * y)) / (4.8 * size)
    return np.asarray((1.0 - np.sqrt(across**2 + (y / (14.5 * size)) ** 2 + ((z - 1.0) / (8.5 * size)) ** 2)) * 4.8)


def _spread(axis: NDArray[np.float32], width_mm: float = _SPREAD_MM) -> Volume:
    places = axis.astype(np.float64)
    weights = np.exp(-0.5 * ((places[:, None] - places) / width_mm) ** 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
