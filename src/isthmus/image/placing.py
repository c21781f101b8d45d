"""A mask of one grid on another: voxel for voxel where the grids coincide, by nearest neighbour where the user asks for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.image.geometry import Geometry

__all__ = ["nearest", "place"]

Mask = NDArray[np.bool_]


def place(mask: Mask, source: Geometry, target: Geometry, tolerance_mm: float = 0.01) -> tuple[Mask, int] | None:
    """A mask moved to the grid on whose voxels its own lie, whichever way its axes run.

    Parameters
    ----------
    mask : bool array, shape (k, j, i) of `source`
    source, target : Geometry
    tolerance_mm : float
        How far a corner voxel of the source may lie from a voxel centre of the (endless) target grid.

    Returns
    -------
    mask : bool array, shape of `target`
    outside : int
        Voxels of the mask beyond the target's borders.

    None where the two grids do not coincide.
    """
    inverse = np.linalg.inv(target.affine)
    steps = inverse[:3, :3] @ source.affine[:3, :3]  # column a: one step along the source's axis a, in target voxels
    origin = (inverse @ source.affine[:, 3])[:3]
    whole, start = np.rint(steps), np.rint(origin)
    long = np.array(source.shape) > 1
    if not (np.abs(whole[:, long]).sum(axis=0) == 1).all():
        return None
    corners = np.array([[k, j, i] for k in (0, 1) for j in (0, 1) for i in (0, 1)]) * (np.array(source.shape) - 1)
    apart = ((steps - whole) * long) @ corners.T + (origin - start)[:, None]
    if np.linalg.norm(target.affine[:3, :3] @ apart, axis=0).max() > tolerance_mm:
        return None
    index = np.argwhere(mask) @ (whole * long).T.astype(np.intp) + start.astype(np.intp)
    inside = ((index >= 0) & (index < target.shape)).all(axis=1)
    placed = np.zeros(target.shape, dtype=bool)
    placed[tuple(index[inside].T)] = True
    return placed, int(np.count_nonzero(~inside))


def nearest(mask: Mask, source: Geometry, target: Geometry) -> Mask:
    """Each voxel of the target is set where the source's voxel nearest to its centre is; beyond the source, none."""
    placed = np.zeros(target.shape, dtype=bool)
    set_voxels = np.argwhere(mask)
    if not len(set_voxels):
        return placed
    low, high = set_voxels.min(axis=0) - 0.5, set_voxels.max(axis=0) + 0.5
    corners = np.array([[k, j, i, 1] for k in (low[0], high[0]) for j in (low[1], high[1]) for i in (low[2], high[2])])
    reach = (np.linalg.inv(target.affine) @ source.affine @ corners.T)[:3]
    first = np.clip(np.floor(reach.min(axis=1)), 0, target.shape).astype(np.intp)
    last = np.clip(np.ceil(reach.max(axis=1)) + 1, 0, target.shape).astype(np.intp)
    back = np.linalg.inv(source.affine) @ target.affine
    j, i = np.meshgrid(np.arange(first[1], last[1]), np.arange(first[2], last[2]), indexing="ij")
    for k in range(first[0], last[0]):
        at = back[:3, 0, None, None] * k + back[:3, 1, None, None] * j + back[:3, 2, None, None] * i
        # a hair is added so that a centre exactly between two voxels goes the same way whatever the rounding
        index = np.floor(at + back[:3, 3, None, None] + 0.5 + 1e-9).astype(np.intp)
        inside = ((index >= 0) & (index < np.array(source.shape)[:, None, None])).all(axis=0)
        plane = np.zeros(j.shape, dtype=bool)
        plane[inside] = mask[tuple(index[:, inside])]
        placed[k, first[1] : last[1], first[2] : last[2]] = plane
    return placed
