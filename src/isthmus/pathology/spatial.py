"""How nuclei lie to each other: neighbours, density, clustering, autocorrelation, triangulation. Lengths in um.

References
----------
Ripley, J R Stat Soc B 39:172-212, 1977 (K; L is Besag's, ibid. 193-195). Moran, Biometrika 37:17-23, 1950.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.pathology.tissue import Tissue

__all__ = ["delaunay_edges", "moran", "neighbour_distances", "ripley_l"]

Array = NDArray[np.float64]


def neighbour_distances(points: ArrayLike, k: int) -> Array:
    """Distances to the 1st ... k-th nearest neighbour, shape (n, k); NaN where there are not as many."""
    from scipy.spatial import cKDTree

    at = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if len(at) < 2:
        return np.full((len(at), k), np.nan)
    distance = cKDTree(at).query(at, k=k + 1)[0][:, 1:]
    return np.where(np.isfinite(distance), distance, np.nan)


def ripley_l(points: ArrayLike, tissue: Tissue, radii: ArrayLike) -> Array:
    """L(r) - r at each radius: 0 for points strewn at random, above 0 where they cluster, below where they keep apart.

    The border is met by the border method: only points farther than r from the tissue's edge are looked from, and the intensity is that of
    the whole tissue. NaN where no such point is left.
    """
    from scipy import ndimage
    from scipy.spatial import cKDTree

    at = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    radii = np.asarray(radii, dtype=np.float64)
    found = np.full(len(radii), np.nan)
    area = float(tissue.mask.sum()) * tissue.mpp**2
    if len(at) < 2 or area == 0:
        return found
    to_edge = ndimage.distance_transform_edt(np.pad(tissue.mask, 1))[1:-1, 1:-1] * tissue.mpp
    j, i = (np.clip((at[:, a] / tissue.mpp).astype(int), 0, to_edge.shape[1 - a] - 1) for a in (1, 0))
    margin, tree, intensity = to_edge[j, i], cKDTree(at), len(at) / area
    for n, radius in enumerate(radii):
        inner = at[margin > radius]
        if len(inner):
            pairs = tree.query_ball_point(inner, radius, return_length=True) - 1
            found[n] = np.sqrt(float(pairs.mean()) / intensity / np.pi) - radius
    return found


def moran(points: ArrayLike, values: ArrayLike, k: int = 5) -> float:
    """Moran's I of a value over the k nearest neighbours (row-standardised): about 0 without spatial order; NaN if undefined."""
    from scipy.spatial import cKDTree

    at, value = np.asarray(points, dtype=np.float64).reshape(-1, 2), np.asarray(values, dtype=np.float64)
    known = np.isfinite(value)
    at, value = at[known], value[known]
    if len(at) <= k or float(value.std()) == 0:
        return float("nan")
    away = value - value.mean()
    neighbours = cKDTree(at).query(at, k=k + 1)[1][:, 1:]
    return float((away * away[neighbours].mean(axis=1)).sum() / (away**2).sum())


def delaunay_edges(points: ArrayLike, longest: float) -> Array:
    """Lengths of the edges of the Delaunay triangulation up to `longest`: longer ones cross what has no nuclei."""
    from scipy.spatial import Delaunay, QhullError

    at = np.unique(np.asarray(points, dtype=np.float64).reshape(-1, 2), axis=0)
    if len(at) < 4:
        return np.empty(0)
    try:
        triangles = Delaunay(at).simplices
    except QhullError:  # all on one line
        return np.empty(0)
    edges = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1)
    edges = np.unique(edges, axis=0)
    length = np.linalg.norm(at[edges[:, 0]] - at[edges[:, 1]], axis=1)
    return np.asarray(length[length <= longest])
