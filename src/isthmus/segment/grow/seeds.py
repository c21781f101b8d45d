"""Clicks: where the lesion is and where it is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import PlanError, TableError
from isthmus.image.geometry import Geometry
from isthmus.table.reading import read_frame

__all__ = ["Seeds", "read_seeds", "to_voxels"]

_POINTS, _VOXELS = ("x", "y", "z"), ("k", "j", "i")
Triples = Iterable[Sequence[float]]


@dataclass(frozen=True, eq=False)
class Seeds:
    """Voxels that were clicked.

    Parameters
    ----------
    inside : int array, shape (n, 3)
        Voxels (k, j, i) of the lesion, one or more.
    outside : int array, shape (m, 3)
        Voxels that are not, if any.
    """

    inside: NDArray[np.intp]
    outside: NDArray[np.intp]

    def __post_init__(self) -> None:
        for name in ("inside", "outside"):
            array = np.asarray(getattr(self, name), dtype=np.intp).reshape(-1, 3)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not len(self.inside):
            raise PlanError("no seed lies inside: click at least once in the lesion")

    @classmethod
    def at_voxels(cls, inside: Triples, outside: Triples = ()) -> Seeds:
        """From voxel indices (k, j, i), whole numbers."""
        return cls(*(_whole(list(some)) for some in (inside, outside)))

    @classmethod
    def at_points(cls, inside: Triples, outside: Triples = (), *, geometry: Geometry) -> Seeds:
        """From points (x, y, z), LPS millimetres: the voxels they lie in."""
        return cls(*(to_voxels(list(some), geometry) for some in (inside, outside)))

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse a seed outside the image.

        Raises
        ------
        PlanError
        """
        for name in ("inside", "outside"):
            for seed in getattr(self, name):
                if (seed < 0).any() or (seed >= shape).any():
                    raise PlanError(
                        f"the seed at voxel {tuple(seed.tolist())} (k, j, i) lies outside the image of {shape} voxels. Points are LPS "
                        "millimetres (x, y, z); voxels count from 0"
                    )

    def as_dict(self) -> dict[str, list[list[int]]]:
        return {"inside": self.inside.tolist(), "outside": self.outside.tolist()}


def to_voxels(points: Sequence[Sequence[float]], geometry: Geometry) -> NDArray[np.intp]:
    """The voxels (k, j, i) in which points (x, y, z), LPS mm, lie; shape (n, 3)."""
    if not len(points):
        return np.zeros((0, 3), dtype=np.intp)
    back = np.linalg.inv(geometry.affine)
    places = np.asarray(points, dtype=np.float64) @ back[:3, :3].T + back[:3, 3]
    return np.floor(places + 0.5).astype(np.intp)


def _whole(voxels: Sequence[Sequence[float]]) -> NDArray[np.intp]:
    array = np.asarray(voxels, dtype=np.float64).reshape(-1, 3)
    if (array != np.round(array)).any():
        raise PlanError(f"voxels {array.tolist()}: whole numbers (k, j, i) were expected; points in mm are x, y, z")
    return array.astype(np.intp)


def read_seeds(path: str | Path, geometry: Geometry, **only: Any) -> Seeds:
    """Seeds from a CSV file: columns x, y, z (LPS mm) or k, j, i (voxels), and `inside` (1, or 0 for a seed outside; without it all
    are inside).

    Parameters
    ----------
    path : path
    geometry : Geometry
        Of the image.
    only : column = value
        Rows of one case: `case="p1"`.

    Raises
    ------
    TableError
        A column is missing or a row is no seed.
    """
    frame = read_frame(path).frame
    for column, value in only.items():
        if column in frame.columns:
            frame = frame[frame[column].astype(str) == str(value)]
    columns = next((list(names) for names in (_POINTS, _VOXELS) if set(names) <= set(frame.columns)), None)
    if columns is None:
        raise TableError(
            f"{path}: the columns are {', '.join(map(str, frame.columns))}; expected x, y, z (LPS mm) or k, j, i (voxels), and inside (1 "
            "or 0)"
        )
    points = frame[columns].apply(pd.to_numeric, errors="coerce").astype(np.float64)
    told = frame["inside"] if "inside" in frame.columns else pd.Series("1", index=frame.index)
    inside = pd.to_numeric(told, errors="coerce")
    wrong = ~inside.isin([0, 1]) | ~np.isfinite(points).all(axis=1)
    if wrong.any():
        raise TableError(
            f"{path}: row {frame.index[wrong][0]}: numbers for {', '.join(columns)} and 0 or 1 for inside were expected"
        )
    parts = [points[inside == side].to_numpy(np.float64).tolist() for side in (1, 0)]
    try:
        return Seeds.at_points(*parts, geometry=geometry) if columns == list(_POINTS) else Seeds.at_voxels(*parts)
    except PlanError as error:
        raise TableError(f"{path}: {error}") from error
