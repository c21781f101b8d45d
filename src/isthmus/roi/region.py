"""Regions made of a lesion: grown or shrunk by a margin, or the ring of tissue around it, clipped to an organ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import MaskError
from isthmus.image.box import bounding_box, widened
from isthmus.roi.roi import Roi

__all__ = ["grown", "ring", "signed_distance"]


def signed_distance(
    mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float], reach_mm: float
) -> NDArray[np.float64]:
    """Distance of voxel centres in mm: outside, to the nearest voxel of the mask (positive); inside, to the nearest outside (negative).

    Beyond `reach_mm` outside the mask it is infinite: only the box around the mask is looked at.
    """
    from scipy import ndimage

    result = np.full(mask.shape, np.inf)
    tight = bounding_box(mask)
    if tight is None:
        return result
    k, j, i = (int(np.ceil(reach_mm / s)) + 1 for s in spacing_mm)
    box, _ = widened(tight, (k, j, i), mask.shape)
    inside = mask[box]
    outer = ndimage.distance_transform_edt(~inside, sampling=spacing_mm)
    # beyond the image there is no lesion: a border of background, so that a mask that fills the box has an outside
    padded = np.pad(inside, 1)
    inner = ndimage.distance_transform_edt(padded, sampling=spacing_mm)[1:-1, 1:-1, 1:-1]
    result[box] = np.where(inside, -inner, np.where(outer <= reach_mm, outer, np.inf))
    return result


def grown(roi: Roi, margin_mm: float, within: NDArray[np.bool_] | None = None) -> Roi:
    """The lesion grown by a margin, or shrunk where it is negative.

    Parameters
    ----------
    roi : Roi
    margin_mm : float
        By voxel centres, in mm along every axis.
    within : bool array, optional
        An organ, on the same grid: what is added lies inside it. The lesion itself stays whole, also where it has grown out of the organ.

    Raises
    ------
    MaskError
        Nothing is left.
    """
    if margin_mm == 0:
        return roi
    distance = signed_distance(roi.mask, roi.geometry.spacing_mm, max(margin_mm, 0.0))
    mask = distance <= margin_mm if margin_mm > 0 else distance < margin_mm
    if within is not None and margin_mm > 0:
        mask &= within | roi.mask
    if not mask.any():
        raise MaskError(
            f"nothing is left of the lesion ({roi.n_voxels} voxels) after taking {-margin_mm:g} mm away; use a smaller margin"
        )
    return replace(roi, mask=mask, name=f"{roi.name} {margin_mm:+g} mm")


def ring(roi: Roi, inner_mm: float, outer_mm: float, within: NDArray[np.bool_] | None = None) -> Roi:
    """The tissue between two distances from the lesion's edge: `ring(roi, 0, 5)` is the five millimetres around it.

    Parameters
    ----------
    roi : Roi
    inner_mm, outer_mm : float
        Distances outside the lesion, by voxel centres; a negative inner one takes the lesion's rim with it.
    within : bool array, optional
        An organ, on the same grid: tissue outside it (air, bone, another organ) is left out.

    Returns
    -------
    Roi
        `notes` says how much the organ and the image's border took away.

    Raises
    ------
    MaskError
        Nothing is left.
    """
    if not inner_mm < outer_mm or outer_mm <= 0:
        raise ValueError(f"ring from {inner_mm} to {outer_mm} mm: the second must be larger, and above 0")
    distance = signed_distance(roi.mask, roi.geometry.spacing_mm, outer_mm)
    # inside, distances are negative from one voxel on; exactly the lesion's edge lies between the two
    mask = (distance > inner_mm if inner_mm >= 0 else distance >= inner_mm) & (distance <= outer_mm)
    whole = int(mask.sum())
    notes = list(roi.notes)
    if within is not None:
        mask &= within
        if whole and (lost := 1 - mask.sum() / whole) > 0:
            notes.append(f"{lost:.0%} of the ring lies outside the organ and was left out")
    if any(mask.take(side, axis).any() for axis in range(3) for side in (0, -1) if mask.shape[axis] > 1):
        notes.append("the ring reaches the edge of the image; beyond it there is nothing to measure")
    if not mask.any():
        raise MaskError(
            f"no voxel lies between {inner_mm:g} and {outer_mm:g} mm from the lesion"
            + (" inside the organ" if within is not None else "")
            + f" (voxels of {', '.join(f'{s:g}' for s in roi.geometry.spacing_mm)} mm). Take a wider ring"
        )
    return replace(roi, mask=mask, name=f"{roi.name} ring {inner_mm:g} to {outer_mm:g} mm", notes=tuple(notes))
