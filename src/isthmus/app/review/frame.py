"""The viewer's frame: the voxels of a file, in the order in which the page holds them, and back without loss.

The page is sent volumes whose axes run right, anterior, superior (nearest to the patient's), x fastest. A mask comes back in that order
and is put into the file's own order here, so the page never touches a geometry, and what was not painted is what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.image.geometry import Geometry

__all__ = ["Frame"]


@dataclass(frozen=True)
class Frame:
    """How file axes (k, j, i) become the viewer's axes (z, y, x).

    Parameters
    ----------
    axes : tuple of 3 ints
        The file's axis that becomes the viewer's z, y and x.
    turned : tuple of 3 bools
        Whether that axis runs the other way, for z, y and x.
    """

    axes: tuple[int, int, int]
    turned: tuple[bool, bool, bool]

    @classmethod
    def of(cls, geometry: Geometry) -> Frame:
        """The frame nearest to the patient's axes; each axis of the file is used once, however oblique it lies."""
        assert geometry.direction is not None
        left = np.asarray(geometry.direction) * np.array([[-1.0], [-1.0], [1.0]])  # rows: right, anterior, superior
        strength = np.abs(left)
        chosen: dict[int, int] = {}
        for _ in range(3):
            world, axis = np.unravel_index(int(np.argmax(strength)), strength.shape)
            chosen[int(world)] = int(axis)
            strength[world, :] = -1
            strength[:, axis] = -1
        axes = (chosen[2], chosen[1], chosen[0])
        turned = tuple(bool(left[world, axis] < 0) for world, axis in zip((2, 1, 0), axes, strict=True))
        return cls(axes, turned)  # type: ignore[arg-type]

    def view(self, values: NDArray[Any]) -> NDArray[Any]:
        """The file's voxels (k, j, i) in the viewer's order (z, y, x), contiguous."""
        return np.ascontiguousarray(values.transpose(self.axes)[self._flips])

    def stored(self, view: NDArray[Any]) -> NDArray[Any]:
        """The viewer's voxels (z, y, x) in the file's order (k, j, i), contiguous."""
        back = np.argsort(self.axes)
        return np.ascontiguousarray(view[self._flips].transpose(tuple(back)))

    def voxels(self, clicks: Sequence[tuple[int, int, int]], geometry: Geometry) -> NDArray[np.int64]:
        """Voxels x, y, z of the viewer as k, j, i of the file, shape (n, 3)."""
        seen = np.array(clicks, dtype=np.int64).reshape(-1, 3)[:, ::-1]
        turned = np.where(self.turned, np.array(self.shape(geometry)) - 1 - seen, seen)
        out = np.empty_like(turned)
        out[:, list(self.axes)] = turned
        return out

    def shape(self, geometry: Geometry) -> tuple[int, int, int]:
        """Voxels along the viewer's z, y, x."""
        return tuple(geometry.shape[axis] for axis in self.axes)  # type: ignore[return-value]

    def spacing_mm(self, geometry: Geometry) -> tuple[float, float, float]:
        """Spacing along the viewer's z, y, x."""
        return tuple(geometry.spacing_mm[axis] for axis in self.axes)  # type: ignore[return-value]

    @property
    def _flips(self) -> tuple[slice, slice, slice]:
        return tuple(slice(None, None, -1 if one else 1) for one in self.turned)  # type: ignore[return-value]
