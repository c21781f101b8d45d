"""A region of interest: a mask on its image's grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isthmus.image.geometry import Geometry

__all__ = ["Roi"]


@dataclass(frozen=True, eq=False)
class Roi:
    """Which voxels belong to the lesion.

    Parameters
    ----------
    mask : bool array, shape (k, j, i)
    geometry : Geometry
    name : str
        What was outlined ("tumour", an RTSTRUCT's ROI name, ...).
    source : str
        The path it came from.
    notes : tuple of str
        What the reader saw and the user should know: other labels in the file, separate parts, outlines left out, ...
    parts : mapping
        Label -> bool array of the same shape, where several labels were read as one region; whatever moves the region leaves them behind.
    """

    mask: NDArray[np.bool_]
    geometry: Geometry
    name: str = "mask"
    source: str = ""
    notes: tuple[str, ...] = ()
    parts: Mapping[int | str, NDArray[np.bool_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.mask.shape != self.geometry.shape:
            raise ValueError(f"mask has shape {self.mask.shape}, geometry says {self.geometry.shape}")
        mask = np.asarray(self.mask, dtype=bool).view()
        mask.setflags(write=False)
        object.__setattr__(self, "mask", mask)

    def __repr__(self) -> str:
        return f"Roi({self.name!r}, {self.n_voxels} of {self.mask.size} voxels)"

    @property
    def n_voxels(self) -> int:
        return int(np.count_nonzero(self.mask))

    @property
    def volume_ml(self) -> float:
        return self.n_voxels * self.geometry.voxel_volume_mm3 / 1000.0
