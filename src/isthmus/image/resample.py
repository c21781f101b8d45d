"""Interpolation on another grid, as IBSI prescribes it (manual section 2.4).

The new grid is centred on the old one: both share the point in the middle of the volume. Along each axis it has
`ceil(voxels * old spacing / new spacing)` voxels; a new voxel beyond the old voxel centres takes the nearest border value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from isthmus.errors import ImageReadError
from isthmus.image.box import Box
from isthmus.image.geometry import Geometry, Spacing
from isthmus.image.image import Image

__all__ = [
    "Box",
    "Interpolation",
    "check_resampled_size",
    "interpolate",
    "positions",
    "resample",
    "resampled_geometry",
    "rounded",
    "sub_geometry",
]

Interpolation = Literal["nearest", "linear", "cubic_spline"]

# A spline's coefficient at a distance of n voxels weighs 0.268^n: beyond this many, less than a rounding error.
_REACH = 32
_MOST_VOXELS = 4e9


def resampled_geometry(geometry: Geometry, spacing_mm: Spacing) -> Geometry:
    """The centred grid with another spacing; 0 keeps the old one along that axis.

    Raises
    ------
    ImageReadError
        The new grid would hold more voxels than a machine can.
    """
    old = np.asarray(geometry.spacing_mm)
    wanted = np.asarray(spacing_mm, dtype=np.float64)
    new = np.where((wanted == 0) | np.isclose(wanted, old, rtol=1e-6, atol=0), old, wanted)
    size = np.asarray(geometry.shape, dtype=np.float64)
    # a size that is whole but for the rounding of the spacings (60 x 3.0000001 mm) must not grow by a voxel
    shape = np.maximum(np.ceil(size * old / new - 1e-6), 1)
    check_resampled_size(geometry, new.tolist(), shape.tolist())
    first = (size - 1) / 2 - new / old * (shape - 1) / 2  # continuous old index of the first new voxel
    origin = geometry.affine @ [*first, 1.0]
    k, j, i = (int(n) for n in shape)
    return replace(
        geometry,
        shape=(k, j, i),
        spacing_mm=_triple(new),
        origin_mm=_triple(origin),
    )


def check_resampled_size(old: Geometry, spacing_mm: Sequence[float], shape: Sequence[float]) -> None:
    """Refuse a new grid (spacing and shape k, j, i) that no machine can hold.

    Raises
    ------
    ImageReadError
    """
    if math.prod(map(float, shape)) > _MOST_VOXELS:
        was, new = (tuple(round(s, 4) for s in spacing) for spacing in (old.spacing_mm, spacing_mm))
        raise ImageReadError(
            f"resampling {old.shape} voxels of {was} mm to {new} mm (k, j, i) would make {math.prod(map(float, shape)):.2g} voxels. "
            "Is spacing_mm in millimetres? Otherwise choose a wider one"
        )


def _triple(numbers: NDArray[Any]) -> tuple[float, float, float]:
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


def positions(old: Geometry, new: Geometry) -> tuple[NDArray[np.float64], ...]:
    """Continuous old index of every new voxel centre, per axis (k, j, i), for a grid made by `resampled_geometry`."""
    return tuple(
        (n - 1) / 2 + t / s * (np.arange(m, dtype=np.float64) - (m - 1) / 2)
        for n, s, m, t in zip(old.shape, old.spacing_mm, new.shape, new.spacing_mm, strict=True)
    )


def sub_geometry(geometry: Geometry, box: Box) -> Geometry:
    """The grid of a box of voxels."""
    origin = geometry.affine @ [*(part.start for part in box), 1.0]
    k, j, i = (part.stop - part.start for part in box)
    return replace(geometry, shape=(k, j, i), origin_mm=_triple(origin))


def resample(
    image: Image,
    spacing_mm: Spacing,
    *,
    interpolation: Interpolation = "cubic_spline",
    rounding: bool = False,
    box: Box | None = None,
) -> Image:
    """Image on a new grid with the given voxel spacing, centred on the old one.

    Parameters
    ----------
    image : Image
        Shape (k, j, i), any quantity.
    spacing_mm : tuple of 3 floats
        New spacing (k, j, i), millimetres; 0 keeps the old one along that axis.
    interpolation : {"nearest", "linear", "cubic_spline"}
    rounding : bool
        Intensities are whole numbers (HU): round to the nearest before and after, as IBSI prescribes for CT.
    box : three slices, optional
        Only these voxels of the new grid: the result is that part of the whole new image, at the cost of the part.

    Returns
    -------
    Image
        Shape `ceil(old shape * old spacing / spacing_mm)`, or the box's.

    References
    ----------
    IBSI reference manual, image interpolation (VTM2); grid alignment by centre (3WE3).

    Examples
    --------
    >>> ramp = Image(np.arange(8.0).reshape(1, 1, 8), Geometry((1, 1, 8), (1, 1, 1)))
    >>> resample(ramp, (1, 1, 2), interpolation="linear").values.ravel().tolist()
    [0.5, 2.5, 4.5, 6.5]
    """
    new = resampled_geometry(image.geometry, spacing_mm)
    values = interpolate(image.values, image.geometry, new, interpolation, box, rounding=rounding)
    return replace(image, values=values, geometry=new if box is None else sub_geometry(new, box), instances={})


def rounded(values: NDArray[Any]) -> NDArray[Any]:
    """Values rounded to the nearest integer (a half to the even one), in the smallest integer type that the core reads."""
    if values.dtype.kind in "iu":
        return values
    whole = np.rint(values)
    for kind in (np.int16, np.int32):
        limits = np.iinfo(kind)
        # false for NaN too: it stays a float, for the check of the region to find
        if whole.size and whole.min() >= limits.min and whole.max() <= limits.max:
            return whole.astype(kind)
    return whole


def interpolate(
    values: NDArray[Any],
    old: Geometry,
    new: Geometry,
    interpolation: Interpolation,
    box: Box | None = None,
    *,
    rounding: bool = False,
) -> NDArray[Any]:
    """Values at the voxel centres of a centred grid, or of a box of it; double precision where anything moved.

    With `rounding`, the old values that are read and the new ones are rounded to whole numbers. One axis after the other: the kernels
    of all three methods are products of one-dimensional ones.
    """
    whole = tuple(slice(0, n) for n in new.shape) if box is None else box
    axes = [
        None if n == m and s == t else at[part]
        for at, part, n, m, s, t in zip(
            positions(old, new), whole, old.shape, new.shape, old.spacing_mm, new.spacing_mm, strict=True
        )
    ]
    if all(at is None for at in axes):
        return rounded(values[whole]) if rounding else values[whole]
    needed = tuple(
        part if at is None else _needed(at, n, interpolation)
        for at, part, n in zip(axes, whole, old.shape, strict=True)
    )
    result = values[needed]
    if interpolation != "nearest":
        result = result.astype(np.float64)
        if rounding and values.dtype.kind == "f":
            np.rint(result, out=result)
    for axis in (2, 1, 0):  # planes first: they shrink more often than slices
        if (at := axes[axis]) is not None:
            result = _along(result, np.clip(at, 0, old.shape[axis] - 1) - needed[axis].start, axis, interpolation)
    return rounded(result) if rounding else result


def _needed(at: NDArray[np.float64], size: int, interpolation: Interpolation) -> slice:
    """The old voxels that the new ones depend on."""
    reach = _REACH if interpolation == "cubic_spline" else 1
    low, high = np.clip([np.floor(at[0]) - reach, np.floor(at[-1]) + reach + 2], 0, size).astype(int)
    return slice(min(int(low), size - 1), max(int(high), 1))


def _along(values: NDArray[Any], at: NDArray[np.float64], axis: int, interpolation: Interpolation) -> NDArray[Any]:
    """Values at continuous indices `at` (within the axis) along one axis."""
    size = values.shape[axis]
    if interpolation == "nearest":
        return np.take(values, np.minimum(np.floor(at + 0.5).astype(np.intp), size - 1), axis)
    base = np.minimum(np.floor(at), max(size - 2, 0)).astype(np.intp)
    t = at - base
    if interpolation == "linear" or size == 1:
        taps = [(base, 1 - t), (np.minimum(base + 1, size - 1), t)]
    else:
        values = ndimage.spline_filter1d(values, order=3, axis=axis, output=np.float64, mode="mirror")
        u = 1 - t
        weights = (u**3 / 6, 2 / 3 - t**2 * (2 - t) / 2, 2 / 3 - u**2 * (2 - u) / 2, t**3 / 6)
        taps = [(_mirrored(base + n - 1, size), weight) for n, weight in enumerate(weights)]
    shape = [1, 1, 1]
    shape[axis] = len(at)
    result = np.zeros((*values.shape[:axis], len(at), *values.shape[axis + 1 :]))
    for index, weight in taps:
        result += np.take(values, index, axis) * weight.reshape(shape)
    return result


def _mirrored(index: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Indices reflected at the centres of the first and the last voxel."""
    period = 2 * (size - 1)
    folded = np.abs(index) % period
    return np.minimum(folded, period - folded)
