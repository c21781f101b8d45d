"""Which supervoxels touch, and over how many faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.habitat.supervoxels import Supervoxels

__all__ = ["Space", "contacts_of"]

Array = NDArray[np.float64]


def contacts_of(pieces: Supervoxels, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The contacts among some of the supervoxels, as places in `labels` instead of labels, shape (pairs, 3)."""
    place = np.full(pieces.count + 1, -1)
    place[labels] = np.arange(len(labels))
    found = pieces.contacts.copy()
    found[:, :2] = place[found[:, :2]]
    return found[(found[:, :2] >= 0).all(axis=1)]


@dataclass(frozen=True, eq=False)
class Space:
    """How supervoxels lie: their sizes and who touches whom. Supervoxels of one cluster that touch are one piece; pieces of fewer than
    `least` voxels do not count for the fragment score."""

    voxels: Array
    contacts: NDArray[np.int64]
    least: float = 0

    def pieces(self, clusters: NDArray[np.int32]) -> dict[int, Array]:
        """Sizes of the connected pieces of each cluster, in voxels, largest first."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n = len(self.voxels)
        same = self.contacts[clusters[self.contacts[:, 0]] == clusters[self.contacts[:, 1]]]
        graph = coo_array((np.ones(len(same)), (same[:, 0], same[:, 1])), shape=(n, n))
        _, piece = connected_components(graph, directed=False)
        sizes = np.bincount(piece, self.voxels)
        owner = np.zeros(len(sizes), dtype=np.int64)
        owner[piece] = clusters
        return {c: np.sort(sizes[owner == c])[::-1] for c in np.unique(owner).tolist()}

    def scores(self, clusters: NDArray[np.int32]) -> tuple[float, float, float]:
        """Coherence, fragment, and the mean number of pieces of a cluster."""
        total, coherent, fragment, numbers = float(self.voxels.sum()), 0.0, 0.0, []
        for sizes in self.pieces(clusters).values():
            coherent += float(sizes[0])
            numbers.append(sizes.size)
            if (counted := sizes[sizes >= self.least]).size:
                fragment += float(counted[0]) / counted.size
        return 1 - coherent / total, 1 - fragment / total, float(np.mean(numbers))

    def by_chance(self, clusters: NDArray[np.int32], permutations: int, seed: int) -> Array:
        """The mean scores of the same clusters strewn over the supervoxels at random; NaN without permutations."""
        if permutations == 0:
            return np.full(3, np.nan)
        draw = np.random.default_rng([seed, 2])
        return np.mean([self.scores(draw.permutation(clusters)) for _ in range(permutations)], axis=0)
