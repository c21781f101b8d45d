"""What IBSI's convolutional filters share: their settings, boundary conditions, kernels along one axis, and labels.

A separable filter is one linear map per axis. Each map is a sparse matrix from the image's voxels along the axis to the box's, with
the boundary condition folded in, so that a box gives the same bits as the whole image and only the voxels that matter are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from isthmus import _core
from isthmus.filters._spec import Box, FilterSettings

__all__ = [
    "Array",
    "Boundary",
    "BoundarySettings",
    "Cascade",
    "ConvolutionSettings",
    "Kernel",
    "Rows",
    "along",
    "box_rows",
    "convolve",
    "label",
    "linear_maps",
    "number",
    "on_axes",
    "read",
    "source",
]

Array = NDArray[np.float64]
Rows = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
Boundary = Literal["zero", "nearest", "periodic", "mirror"]


class BoundarySettings(FilterSettings):
    """boundary: what lies beyond the image's border: zeros, the nearest voxel, the image again, or its mirror image (the border voxel
    twice)."""

    boundary: Boundary = "mirror"


class ConvolutionSettings(BoundarySettings):
    """by_slice: filter each slice k by itself (2-D) instead of the volume."""

    by_slice: bool = False

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes a filter works along, in IBSI's order x, y, z: i, j (, k)."""
        return (2, 1) if self.by_slice else (2, 1, 0)

    @property
    def dimension(self) -> str:
        """As labels write it."""
        return "2d" if self.by_slice else "3d"


class Kernel(NamedTuple):
    """Taps of a convolution along one axis: `response[n] = sum_t taps[t] * image[n + centre - t]`, centre = half their number."""

    taps: tuple[float, ...]
    centre: int

    @classmethod
    def of(cls, taps: Sequence[float] | Array) -> Kernel:
        return cls(tuple(map(float, taps)), len(taps) // 2)

    def mirrored(self) -> Kernel:
        """The kernel turned about its centre."""
        return Kernel(self.taps[::-1], len(self.taps) - 1 - self.centre)

    def negative(self) -> Kernel:
        return Kernel(tuple(-tap for tap in self.taps), self.centre)


Cascade = tuple[Kernel, ...]  # convolutions one after another; the boundary condition holds for each


def source(positions: NDArray[np.intp], size: int, boundary: Boundary) -> NDArray[np.intp]:
    """Which voxel of an axis stands at each position, which may lie beyond its ends; -1 where nothing (zero) stands."""
    match boundary:
        case "zero":
            return np.where((positions >= 0) & (positions < size), positions, -1)
        case "nearest":
            return np.clip(positions, 0, size - 1)
        case "periodic":
            return positions % size
        case "mirror":
            turned = positions % (2 * size)
            return np.minimum(turned, 2 * size - 1 - turned)


def _convolution(kernel: Kernel, rows: NDArray[np.intp], size: int, boundary: Boundary) -> sparse.csr_array:
    """One kernel as a matrix: rows (voxels wanted) by voxels of the axis."""
    taps = np.array(kernel.taps)
    voxels = source(rows[:, None] + kernel.centre - np.arange(len(taps)), size, boundary)
    row, tap = np.nonzero((voxels >= 0) & (taps != 0))
    return sparse.coo_array((taps[tap], (row, voxels[row, tap])), shape=(len(rows), size)).tocsr()


def _linear_map(cascade: Cascade, rows: NDArray[np.intp], size: int, boundary: Boundary) -> sparse.csr_array:
    whole = np.arange(size)
    result = sparse.coo_array((np.ones(len(rows)), (np.arange(len(rows)), rows)), shape=(len(rows), size)).tocsr()
    for kernel in reversed(cascade):
        needed = np.flatnonzero(np.bincount(result.indices, minlength=size))
        result = result[:, needed] @ _convolution(kernel, whole[needed], size, boundary)
    result.sort_indices()
    return result


def box_rows(box: Box) -> Rows:
    """The box as voxel indices along each axis."""
    k, j, i = (np.arange(part.start, part.stop) for part in box)
    return k, j, i


def on_axes(axes: Sequence[int], cascades: Sequence[Sequence[Cascade]]) -> list[list[Cascade]]:
    """Cascades as `linear_maps` takes them: a list per axis (k, j, i), empty where nothing is filtered."""
    result: list[list[Cascade]] = [[], [], []]
    for axis, options in zip(axes, cascades, strict=True):
        result[axis] = list(options)
    return result


def linear_maps(
    shape: Sequence[int], rows: Rows, cascades: Sequence[Sequence[Cascade]], boundary: Boundary
) -> tuple[Rows, list[list[sparse.csr_array]]]:
    """The voxels that some filters need, and the filters as maps along each axis of the block of those voxels.

    Parameters
    ----------
    shape : of the whole image
    rows : three arrays of indices
        The voxels wanted along each axis.
    cascades : for each of the three axes, a list of cascades
        An axis with an empty list is left as it is.

    Returns
    -------
    needed : three arrays of indices
        What `read` has to fetch.
    maps : for each axis, one matrix per cascade, for `along`
    """
    needed: list[NDArray[np.intp]] = []
    maps: list[list[sparse.csr_array]] = []
    for size, wanted, options in zip(shape, rows, cascades, strict=True):
        full = [_linear_map(cascade, wanted, size, boundary) for cascade in options]
        voxels = np.unique(np.concatenate([matrix.indices for matrix in full])) if full else wanted
        needed.append(voxels)
        maps.append([matrix[:, voxels] for matrix in full])
    return (needed[0], needed[1], needed[2]), maps


def read(values: NDArray[Any], rows: Rows) -> Array:
    """Those voxels of an image as a block of float64."""
    k, j, i = (_slice_where_possible(indices) for indices in rows)
    return np.ascontiguousarray(values[k][:, j][:, :, i], dtype=np.float64)


def _slice_where_possible(indices: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """Neighbouring indices as a slice, which copies nothing."""
    if len(indices) and indices[-1] - indices[0] + 1 == len(indices) and np.all(np.diff(indices) == 1):
        return slice(int(indices[0]), int(indices[-1]) + 1)
    return indices


def along(block: Array, axis: int, matrix: sparse.csr_array) -> Array:
    """A block mapped along one axis (0 = k, 1 = j, 2 = i)."""
    result: Array = _core.map_lines(
        block, axis, matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data
    )
    return result


def number(value: float, unit: str = "") -> str:
    """A number as labels write it: 3mm, 1.5mm."""
    return f"{value:.12g}{unit}"


def convolve(
    values: NDArray[Any], rows: Rows, axes: Sequence[int], kernels: Sequence[Cascade], boundary: Boundary
) -> Array:
    """One separable filter: a cascade per axis of `axes`, the voxels `rows` of the response."""
    needed, maps = linear_maps(values.shape, rows, on_axes(axes, [[kernel] for kernel in kernels]), boundary)
    response = read(values, needed)
    for axis in axes:
        response = along(response, axis, maps[axis][0])
    return response


def label(kind: str, settings: BoundarySettings, dimension: str, *parts: str) -> str:
    """`ibsi-<filter>-<dimension>-<parts>`, with the boundary unless it is the usual one."""
    usual = type(settings).model_fields["boundary"].default
    boundary = "" if settings.boundary == usual else settings.boundary
    return "-".join(filter(None, ("ibsi", kind, dimension, *parts, boundary)))
