"""ITHscore: how broken up the clusters of a lesion are, from a map of them.

References
----------
Li, Qiu, Zhang et al., European Radiology 2022, doi:10.1007/s00330-022-09055-0 (two dimensions).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["coherence_score", "fragment_score", "pieces_of"]


def pieces_of(labels: NDArray[Any]) -> dict[int, NDArray[np.int64]]:
    """Sizes in voxels of the connected pieces of each label but 0, largest first; voxels that touch by a corner are connected."""
    from scipy import ndimage

    touching = np.ones((3,) * labels.ndim)
    found = {}
    for label in np.unique(labels[labels != 0]).tolist():
        pieces, _ = ndimage.label(labels == label, structure=touching)
        found[int(label)] = np.sort(np.bincount(pieces.ravel())[1:])[::-1]
    return found


def fragment_score(labels: NDArray[Any], least: float = 2) -> float:
    """1 - (1/S) sum of A / n over the clusters: A the size of a cluster's largest piece, n how many pieces it has.

    Parameters
    ----------
    labels : integer array, two or three axes
        0 is outside.
    least : float
        Smaller pieces (in voxels) are not counted, and a cluster that has no other is skipped; S holds them all the same.

    Returns
    -------
    float
        0 where each cluster is one piece, towards 1 where they are broken up; NaN without a labelled voxel.
    """
    total = int(np.count_nonzero(labels))
    counted = [sizes[sizes >= least] for sizes in pieces_of(labels).values()]
    return float(1 - sum(sizes[0] / sizes.size for sizes in counted if sizes.size) / total) if total else float("nan")


def coherence_score(labels: NDArray[Any]) -> float:
    """1 - (1/V) sum over the clusters of the size of the largest piece: the share of the lesion that lies apart from its cluster.

    NaN without a labelled voxel.
    """
    total = int(np.count_nonzero(labels))
    return float(1 - sum(int(sizes[0]) for sizes in pieces_of(labels).values()) / total) if total else float("nan")
