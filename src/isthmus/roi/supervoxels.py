"""Supervoxels: a region cut into compact pieces of similar intensity (SLIC inside a mask, and two alternatives)."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isthmus import _core
from isthmus.errors import did_you_mean

__all__ = ["SupervoxelMethod", "supervoxels"]

SupervoxelMethod = Literal["slic", "kmeans", "growing"]


def supervoxels(
    values: NDArray[Any],
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    *,
    volume_mm3: float = 125.0,
    compactness: float = 1.0,
    iterations: int = 10,
    method: SupervoxelMethod = "slic",
    least_voxels: int = 1,
) -> NDArray[np.int32]:
    """Labels of about equally large, connected pieces of a mask.

    Distances are in mm, so anisotropic voxels do not flatten the pieces. Nothing outside the mask is read (and nothing is smoothed),
    so tissue beside the lesion cannot change them. The same input gives the same labels.

    Parameters
    ----------
    values : array, shape (k, j, i)
        Intensities; finite inside the mask.
    mask : bool array, shape (k, j, i)
    spacing_mm : tuple of 3 floats
        (k, j, i).
    volume_mm3 : float
        What a piece has on average.
    compactness : float
        How much intensity difference weighs as much as one piece's side, in standard deviations of the intensities inside the mask:
        large values give cubes, small ones follow edges.
    iterations : int
    method : {"slic", "kmeans", "growing"}
        "slic": each voxel joins the nearest of the centres close to it; "kmeans": the nearest of all centres; "growing": regions grow
        from the seeds, the neighbour nearest to the mean of a region first.
    least_voxels : int
        A smaller piece joins the neighbour with which it shares most faces; one that has no neighbour stays.

    Returns
    -------
    int32 array, shape (k, j, i)
        1 ... n inside the mask, 0 outside; every label is one piece that hangs together by faces.

    References
    ----------
    Achanta et al., IEEE TPAMI 34:2274-2282, 2012 (SLIC). Growing: Achanta and Suesstrunk, CVPR 2017 (SNIC).
    """
    if method not in get_args(SupervoxelMethod):
        raise ValueError(f"method = {method!r} is not known.{did_you_mean(method, get_args(SupervoxelMethod))}")
    if volume_mm3 <= 0 or compactness <= 0 or iterations < 1:
        raise ValueError(
            f"volume_mm3 = {volume_mm3}, compactness = {compactness}, iterations = {iterations}: each must be positive"
        )
    inside = values[mask].astype(np.float64)
    spread = float(inside.std()) if inside.size else 0.0
    boxed = np.where(mask, values, 0).astype(np.float64)
    return _core.supervoxels(
        np.ascontiguousarray(boxed),
        np.ascontiguousarray(mask),
        spacing_mm,
        float(volume_mm3),
        compactness * (spread if spread > 0 else 1.0),
        iterations,
        getattr(_core.SupervoxelMethod, method),
        least_voxels,
    )
