"""A region on another grid: its mask is interpolated, and a voxel belongs to it from a covered part of one half (IBSI)."""

from __future__ import annotations

import numpy as np

from isthmus.errors import MaskError
from isthmus.image.geometry import Spacing
from isthmus.image.resample import Interpolation, interpolate, positions, resampled_geometry
from isthmus.roi.roi import Roi

__all__ = ["resample_roi"]

# a voxel covered by exactly the threshold belongs to the region, whichever way the last bit was rounded
_HALF_A_BIT = 1e-9


def resample_roi(
    roi: Roi, spacing_mm: Spacing, *, interpolation: Interpolation = "linear", threshold: float = 0.5
) -> Roi:
    """Region on the centred grid with another spacing.

    Parameters
    ----------
    roi : Roi
        Not empty.
    spacing_mm : tuple of 3 floats
        New spacing (k, j, i); 0 keeps the old one along that axis.
    interpolation : {"nearest", "linear", "cubic_spline"}
    threshold : float
        The covered part from which a new voxel belongs to the region.

    Raises
    ------
    MaskError
        No voxel of the new grid is covered enough.

    References
    ----------
    IBSI reference manual, ROI interpolation: partial volume fraction of at least 0.5.
    """
    new = resampled_geometry(roi.geometry, spacing_mm)
    if new.shape == roi.geometry.shape and new.spacing_mm == roi.geometry.spacing_mm:
        return roi
    box = []
    for axis, at in enumerate(positions(roi.geometry, new)):
        occupied = np.flatnonzero(roi.mask.any(axis=tuple(a for a in range(3) if a != axis)))
        reached = np.flatnonzero((at > occupied[0] - 1) & (at < occupied[-1] + 1))
        # at a border the nearest voxel speaks for what lies beyond it
        low = 0 if occupied[0] == 0 else reached[0] if len(reached) else 0
        high = len(at) if occupied[-1] == len(occupied) - 1 else reached[-1] + 1 if len(reached) else 0
        box.append(slice(int(low), int(high)))
    k, j, i = box
    mask = np.zeros(new.shape, dtype=bool)
    if all(part.start < part.stop for part in box):
        covered = interpolate(roi.mask.view(np.uint8), roi.geometry, new, interpolation, (k, j, i))
        mask[k, j, i] = covered >= threshold - _HALF_A_BIT
    if not mask.any():
        spacing = ", ".join(f"{s:g}" for s in new.spacing_mm)
        raise MaskError(
            f"region {roi.name!r} ({roi.n_voxels} voxels) covers no voxel of the new grid ({spacing} mm) by {threshold:g} or more. "
            "Choose a finer spacing_mm, or leave the case out"
        )
    return Roi(mask, new, roi.name, roi.source, roi.notes)
