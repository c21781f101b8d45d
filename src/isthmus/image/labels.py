"""A label map: whole numbers on a grid, each naming a structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image.geometry import Geometry

__all__ = ["LabelImage"]


@dataclass(frozen=True, eq=False)
class LabelImage:
    """What a mask file holds: one whole number per voxel, 0 for background.

    Parameters
    ----------
    values : integer array, shape (k, j, i)
        In the integer type of the file; whole numbers stored as floats become int32.
    geometry : Geometry
    source : str
        The path it came from.
    """

    values: NDArray[np.integer[Any]]
    geometry: Geometry
    source: str = ""

    def __post_init__(self) -> None:
        if self.values.shape != self.geometry.shape:
            raise ValueError(f"values have shape {self.values.shape}, geometry says {self.geometry.shape}")
        if self.values.dtype.kind not in "iu":
            raise ValueError(f"labels are whole numbers, not {self.values.dtype}")
        values = self.values.view()
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def __repr__(self) -> str:
        return f"LabelImage({self.values.dtype}, {self.geometry.shape} voxels)"

    def labels(self) -> dict[int, int]:
        """Voxels per label, without the background, in ascending order."""
        present, counts = np.unique(self.values, return_counts=True)
        return {int(label): int(n) for label, n in zip(present, counts, strict=True) if label != 0}
