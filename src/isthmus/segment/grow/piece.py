"""What every method is given: the values of a box, the clicks in it, the size of a voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.image.geometry import Spacing

__all__ = ["Mask", "Piece", "ball", "connected"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Piece:
    """A box of an image.

    Parameters
    ----------
    values : float64 array, shape (k, j, i)
    inside, outside : int array, shape (n, 3)
        Voxels (k, j, i) of the box that were clicked as lesion, and as no lesion.
    spacing_mm : tuple of float
    """

    values: NDArray[np.float64]
    inside: NDArray[np.intp]
    outside: NDArray[np.intp]
    spacing_mm: Spacing

    def near(self, radius_mm: float) -> NDArray[np.float64]:
        """The values within a distance of the clicks inside."""
        return self.values[ball(self.values.shape, self.inside, radius_mm, self.spacing_mm)]

    @property
    def clicked(self) -> NDArray[np.float64]:
        return self.values[tuple(self.inside.T)]


def ball(shape: tuple[int, ...], centres: NDArray[np.intp], radius_mm: float, spacing_mm: Spacing) -> Mask:
    """The voxels whose centre lies within a distance of one of some voxels' centres, themselves included."""
    found = np.zeros(shape, dtype=bool)
    reach = [int(radius_mm / step) for step in spacing_mm]
    offsets = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), -1).reshape(-1, 3)
    offsets = offsets[((offsets * spacing_mm) ** 2).sum(1) <= radius_mm**2 + 1e-9]
    places = (centres[:, None] + offsets[None]).reshape(-1, 3)
    places = places[((places >= 0) & (places < shape)).all(1)]
    found[tuple(places.T)] = True
    return found


def connected(mask: Mask, seeds: NDArray[np.intp]) -> Mask:
    """The parts of a mask, joined by faces, that hold a seed."""
    from scipy import ndimage

    labels, _ = ndimage.label(mask)
    kept = np.unique(labels[tuple(seeds.T)])
    return np.isin(labels, kept[kept > 0])
