"""From an image as a file holds it to the network's grid: axes along the patient's, border cut off, resampled.

Hounsfield units stay what they are: every network standardises them by its own training cases (`Configuration.standardised`), so nothing
here depends on another case. Other images are standardised by their own voxels before resampling. Nothing here reads files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ImageReadError
from isthmus.image.box import Box, bounding_box
from isthmus.image.geometry import Geometry
from isthmus.image.resample import interpolate, resampled_geometry
from isthmus.segment.configuration import CaseFacts, Configuration

__all__ = ["Axes", "Grid", "case_facts", "foreground", "grid_of", "prepare_image", "prepare_labels"]

_ROWS = 32  # of the new grid at a time: bounds the memory that interpolation takes
_SAMPLED = 10_000


@dataclass(frozen=True)
class Axes:
    """Which array axis runs along the patient's feet-head, front-back and right-left axis, and which of them run against it."""

    order: tuple[int, int, int] = (0, 1, 2)
    turned: tuple[bool, bool, bool] = (False, False, False)

    @classmethod
    def of(cls, geometry: Geometry) -> Axes:
        """Of an image; one that does not say how it lies stays as it is."""
        if not geometry.placed:
            return cls()
        assert geometry.direction is not None
        size = np.abs(geometry.direction)
        order = [0, 0, 0]
        left = {0, 1, 2}
        for world in np.argsort(-size.max(axis=1)):  # the surest first, so that an oblique image gets every axis once
            array = max(left, key=lambda axis: size[world, axis])
            order[2 - world] = array
            left.remove(array)
        turned = [bool(geometry.direction[2 - place, array] < 0) for place, array in enumerate(order)]
        return cls((order[0], order[1], order[2]), (turned[0], turned[1], turned[2]))

    def to_patient(self, values: NDArray[Any]) -> NDArray[Any]:
        """A view with axes (feet to head, front to back, right to left)."""
        view = values.transpose(self.order)
        return view[tuple(slice(None, None, -1 if turned else 1) for turned in self.turned)]

    def back(self, values: NDArray[Any]) -> NDArray[Any]:
        """The other way."""
        view = values[tuple(slice(None, None, -1 if turned else 1) for turned in self.turned)]
        return view.transpose(np.argsort(self.order))

    def spacing(self, spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
        a, b, c = (spacing_mm[axis] for axis in self.order)
        return a, b, c


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the network's grid lies in an image: the image's axes, the box inside its border of zeros, and both grids of that box."""

    axes: Axes
    whole: tuple[int, int, int]
    box: Box
    old: Geometry
    new: Geometry


def grid_of(values: NDArray[Any], geometry: Geometry, configuration: Configuration) -> tuple[NDArray[Any], Grid]:
    """The image inside its border of zeros with axes along the patient's (a view), and where it lies.

    Raises
    ------
    ImageReadError
        The image is 0 everywhere, or holds values that are not numbers.
    """
    axes = Axes.of(geometry)
    seen = axes.to_patient(values)
    box = _inside(seen)
    old = Geometry((1, 1, 1), axes.spacing(geometry.spacing_mm))
    inner = seen[box]
    old = replace(old, shape=_triple(inner.shape))
    return inner, Grid(axes, _triple(seen.shape), box, old, resampled_geometry(old, configuration.spacing_mm))


def _inside(values: NDArray[Any]) -> Box:
    """The smallest box with all voxels that are not 0."""
    if values.dtype.kind == "f" and not all(bool(np.isfinite(row).all()) for row in values):
        raise ImageReadError("the image holds values that are not numbers; replace them before it is segmented")
    box = bounding_box(values != 0)
    if box is None:
        raise ImageReadError("the image is 0 everywhere; nothing can be segmented")
    return box


def prepare_image(inner: NDArray[Any], grid: Grid, configuration: Configuration) -> NDArray[np.float32]:
    """The image on the network's grid, shape `grid.new.shape`; of "z_score" standardised, of "ct" not.

    Computed in pieces of 32 rows, so that beside the result only a part of the image is in memory.
    """
    scale = _scaling(inner, configuration)
    found = np.empty(grid.new.shape, np.float32)
    for box in _pieces(grid.new.shape):
        rows = _needed_rows(box[0], grid)
        piece = scale(inner[rows].astype(np.float32))
        found[box[0]] = _resampled(piece, grid, rows, box, separate=configuration.separate_k)
    return found


def _needed_rows(part: slice, grid: Grid) -> slice:
    """Old rows that new ones depend on, with what a spline reaches beyond."""
    ratio = grid.new.spacing_mm[0] / grid.old.spacing_mm[0]
    middle_old, middle_new = (grid.old.shape[0] - 1) / 2, (grid.new.shape[0] - 1) / 2
    low, high = (middle_old + ratio * (row - middle_new) for row in (part.start, part.stop - 1))
    return slice(max(int(np.floor(low)) - 16, 0), min(int(np.ceil(high)) + 17, grid.old.shape[0]))


def _resampled(piece: NDArray[np.float32], grid: Grid, rows: slice, box: Box, *, separate: bool) -> NDArray[np.float32]:
    """The rows of `box` from some rows of the old image: cubic, or along k the nearest slice."""
    plane = replace(grid.old, shape=(len(piece), *grid.old.shape[1:]))
    wide = replace(
        grid.new, shape=(len(piece), *grid.new.shape[1:]), spacing_mm=(grid.old.spacing_mm[0], *grid.new.spacing_mm[1:])
    )
    flat = interpolate(piece, plane, wide, "cubic_spline")  # within the slices
    count = box[0].stop - box[0].start
    if grid.old.shape[0] == grid.new.shape[0] and grid.old.spacing_mm[0] == grid.new.spacing_mm[0]:
        return flat[box[0].start - rows.start : box[0].stop - rows.start].astype(np.float32)
    ratio = grid.new.spacing_mm[0] / grid.old.spacing_mm[0]
    at = (grid.old.shape[0] - 1) / 2 + ratio * (np.arange(box[0].start, box[0].stop) - (grid.new.shape[0] - 1) / 2)
    at = np.clip(at, 0, grid.old.shape[0] - 1) - rows.start
    if separate:
        return flat[np.minimum(np.floor(at + 0.5).astype(np.intp), len(piece) - 1)].astype(np.float32)
    from scipy import ndimage

    weights = ndimage.spline_filter1d(np.eye(len(piece)), order=3, axis=0, mode="mirror")
    across = np.stack(
        [
            ndimage.map_coordinates(weights[:, n], [at], order=3, prefilter=False, mode="mirror")
            for n in range(len(piece))
        ],
        1,
    )
    result: NDArray[np.float32] = (across.astype(np.float32) @ flat.reshape(len(piece), -1).astype(np.float32)).reshape(
        count, *flat.shape[1:]
    )
    return result


def prepare_labels(labels: NDArray[Any], grid: Grid, configuration: Configuration) -> NDArray[np.uint8]:
    """Class numbers on the network's grid from a label map of the whole image.

    Every structure is interpolated by itself (linear; along k by the nearest slice where slices are thick) and the largest share wins.
    """
    inner = grid.axes.to_patient(labels)[grid.box]
    found = np.zeros(grid.new.shape, np.uint8)
    same = grid.old.shape == grid.new.shape and grid.old.spacing_mm == grid.new.spacing_mm
    best = None if same else np.full(grid.new.shape, 0.5, np.float32)
    for number, name in enumerate(configuration.names, start=1):
        here = inner == configuration.labels[name]
        if best is None:
            found[here] = number
            continue
        if not here.any():
            continue
        share = here.astype(np.float32)
        if configuration.separate_k:
            wide = replace(
                grid.new,
                shape=(grid.old.shape[0], *grid.new.shape[1:]),
                spacing_mm=(grid.old.spacing_mm[0], *grid.new.spacing_mm[1:]),
            )
            share = interpolate(interpolate(share, grid.old, wide, "linear"), wide, grid.new, "nearest")
        else:
            share = interpolate(share, grid.old, grid.new, "linear")
        more = share >= best
        found[more] = number
        best[more] = share[more]
    return found


def case_facts(inner: NDArray[Any], grid: Grid, inside: NDArray[np.bool_], seed: int) -> CaseFacts:
    """What a training case says; a sample of at most 10,000 foreground values. `inside`: of the whole image, any label."""
    values = inner[grid.axes.to_patient(inside)[grid.box]]
    if len(values) > _SAMPLED:
        values = np.random.default_rng(seed).choice(values, _SAMPLED, replace=False)
    return CaseFacts(grid.old.shape, grid.old.spacing_mm, values.astype(np.float32))


def foreground(labels: NDArray[np.uint8], seed: int) -> dict[int, NDArray[np.int32]]:
    """Places (k, j, i) of each class present, a sample of at most 10,000, from which training patches are drawn."""
    found = {}
    for number in np.unique(labels[labels > 0]).tolist():
        places = np.argwhere(labels == number).astype(np.int32)
        if len(places) > _SAMPLED:
            places = np.random.default_rng(seed).choice(places, _SAMPLED, replace=False)
        found[int(number)] = places
    return found


def _scaling(inner: NDArray[Any], configuration: Configuration) -> Any:
    """What standardises an image by itself."""
    if configuration.normalisation == "ct":
        return lambda values: values
    count, total, squares = 0, 0.0, 0.0
    for row in inner:  # slice by slice: no second copy of the image
        values = row[row != 0].astype(np.float64)
        count, total, squares = count + len(values), total + float(values.sum()), squares + float((values**2).sum())
    mean = total / count
    sd = max(float(np.sqrt(max(squares / count - mean**2, 0.0))), 1e-8)
    return lambda values: (values - np.float32(mean)) / np.float32(sd)


def _pieces(shape: tuple[int, int, int]) -> Iterator[Box]:
    for start in range(0, shape[0], _ROWS):
        yield slice(start, min(start + _ROWS, shape[0])), slice(0, shape[1]), slice(0, shape[2])


def _triple(shape: Any) -> tuple[int, int, int]:
    k, j, i = (int(n) for n in shape)
    return k, j, i
