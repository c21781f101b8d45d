"""Where a voxel grid lies in the patient.

One axis order everywhere: `(k, j, i)`, slice first; world coordinates are DICOM's LPS. Only `image/io` converts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Geometry", "Spacing"]

Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Shape, spacing, origin and direction of a voxel grid.

    Parameters
    ----------
    shape : tuple of 3 ints
        Voxels along (k, j, i).
    spacing_mm : tuple of 3 floats
        Distance of voxel centres along (k, j, i), millimetres (pixels where `unit` is "px").
    origin_mm : tuple of 3 floats
        World position (x, y, z), LPS, of the centre of voxel (0, 0, 0).
    direction : array, shape (3, 3)
        Column a is the LPS unit vector along array axis a (0 = k, 1 = j, 2 = i).
    unit : {"mm", "px"}
        "px" when the file does not say the size of a pixel.
    placed : bool
        False for a picture, which does not say where in the patient it lies: of two grids only the shapes can then be compared.
    """

    shape: tuple[int, int, int]
    spacing_mm: Spacing
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: NDArray[np.float64] | None = None
    unit: str = "mm"
    placed: bool = True

    def __post_init__(self) -> None:
        direction = np.eye(3)[:, ::-1] if self.direction is None else np.asarray(self.direction, dtype=np.float64)
        direction = direction.copy()
        direction.setflags(write=False)
        object.__setattr__(self, "direction", direction)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "spacing_mm", tuple(float(s) for s in self.spacing_mm))
        object.__setattr__(self, "origin_mm", tuple(float(o) for o in self.origin_mm))

    @property
    def affine(self) -> NDArray[np.float64]:
        """Matrix (4, 4) from voxel index (k, j, i, 1) to LPS world millimetres."""
        assert self.direction is not None
        matrix = np.eye(4)
        matrix[:3, :3] = self.direction * np.asarray(self.spacing_mm)
        matrix[:3, 3] = self.origin_mm
        return matrix

    @property
    def voxel_volume_mm3(self) -> float:
        return float(np.prod(self.spacing_mm))

    def part(self, box: tuple[slice, slice, slice]) -> Geometry:
        """The grid of a box of voxels (k, j, i), each slice with a start and a stop."""
        x, y, z = (self.affine @ [*(along.start for along in box), 1.0])[:3]
        shape = tuple(along.stop - along.start for along in box)
        return replace(self, shape=shape, origin_mm=(float(x), float(y), float(z)))

    def difference(self, other: Geometry, tolerance_mm: float = 1e-3) -> str | None:
        """What differs between two grids, in words, or None when every corner voxel lies within `tolerance_mm`.

        Where one of them is a picture's, the shapes decide.
        """
        if self.shape != other.shape:
            return f"shape {self.shape} against {other.shape} voxels (k, j, i)"
        if not (self.placed and other.placed):
            return None
        corners = np.array([[k, j, i, 1.0] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
        corners[:, :3] *= np.asarray(self.shape) - 1
        distance = np.linalg.norm((corners @ (self.affine - other.affine).T)[:, :3], axis=1)
        if distance.max() <= tolerance_mm:
            return None
        for name in ("spacing_mm", "origin_mm", "direction"):
            ours, theirs = np.asarray(getattr(self, name)), np.asarray(getattr(other, name))
            if not np.allclose(ours, theirs, rtol=0, atol=tolerance_mm / max(self.shape)):
                return (
                    f"{name} {np.round(ours, 6).tolist()} against {np.round(theirs, 6).tolist()}; "
                    f"corners up to {distance.max():.4g} mm apart"
                )
        return f"corners up to {distance.max():.4g} mm apart"

    def within(self, other: Geometry, tolerance: float) -> bool:
        """ITK's test of one grid: origin and spacing within a fraction of the first spacing, direction cosines within the number."""
        assert self.direction is not None
        assert other.direction is not None
        length = tolerance * self.spacing_mm[2]
        return (
            self.shape == other.shape
            and bool(np.all(np.abs(np.subtract(self.origin_mm, other.origin_mm)) <= length))
            and bool(np.all(np.abs(np.subtract(self.spacing_mm, other.spacing_mm)) <= length))
            and bool(np.all(np.abs(self.direction - other.direction) <= tolerance))
        )

    def same_grid(self, other: Geometry, tolerance_mm: float = 1e-3) -> bool:
        return self.difference(other, tolerance_mm) is None
