r"""Local binary patterns inside slices, as PyRadiomics computes them with scikit-image.

On a circle of radius :math:`R` around each voxel :math:`P` points are read by bilinear interpolation (0 outside the image); point
:math:`p` says 1 where it is at least the centre. The response is the number of ones where the pattern changes at most twice along the
points and :math:`P + 1` elsewhere ("uniform"), the pattern as a binary number ("default"), the smallest of its rotations ("ror"), or the
variance of the points ("var").

References
----------
Ojala, Pietikäinen, Mäenpää, IEEE TPAMI 24(7), 2002, doi:10.1109/TPAMI.2002.1017623.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus.filters._spec import Box, FilterSettings, widened
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "labels"]

NAME = "lbp2d"


class Settings(FilterSettings):
    """radius: of the circle, in voxels; samples: points on it; method: what is made of the pattern; slice_axis: slices lie across it."""

    name: Literal["lbp2d"] = "lbp2d"
    radius: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    samples: int = Field(default=8, ge=1, le=30)
    method: Literal["default", "ror", "uniform", "var"] = "uniform"
    slice_axis: Literal["k", "j", "i"] = "k"


def labels(settings: Settings) -> tuple[str, ...]:
    return ("lbp-2D",)


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[Any]]:
    """The patterns of the box, in the image's type (a variance of integers is cut to an integer, as PyRadiomics does)."""
    axis = "kji".index(settings.slice_axis)
    # PyRadiomics exchanges the first axis and the slices' axis: this fixes which way round the points run
    values = np.swapaxes(image.values, 0, axis)
    exchanged = list(box)
    exchanged[0], exchanged[axis] = exchanged[axis], exchanged[0]
    part, rows, columns = exchanged
    padded = _with_zeros_outside(values[part], rows, columns, int(np.ceil(settings.radius)) + 1)
    codes = np.stack([_codes(plane, rows.start, columns.start, settings) for plane in padded])
    kind = image.values.dtype
    if kind.kind == "i":
        codes = np.nan_to_num(codes, nan=0.0)  # a flat circle has no variance
        if codes.max(initial=0) > np.iinfo(kind).max:
            kind = np.dtype(np.float64)
    yield np.ascontiguousarray(np.swapaxes(codes.astype(kind), 0, axis))


def _with_zeros_outside(values: NDArray[Any], rows: slice, columns: slice, margin: int) -> NDArray[np.float64]:
    """Slices cut to the rows and columns and `margin` more on every side."""
    outer, _ = widened((slice(0, len(values)), rows, columns), (0, margin, margin), values.shape)
    pad = [
        (margin - (inside.start - around.start), margin - (around.stop - inside.stop))
        for inside, around in zip((rows, columns), outer[1:], strict=True)
    ]
    return np.pad(values[outer].astype(np.float64), [(0, 0), *pad])


def _codes(plane: NDArray[np.float64], first_row: int, first_column: int, settings: Settings) -> NDArray[np.float64]:
    """Patterns of one padded slice. The rounding of interpolation decides ties, so indices are those of the whole image."""
    margin = int(np.ceil(settings.radius)) + 1
    n_rows, n_columns = (n - 2 * margin for n in plane.shape)
    angles = 2 * np.pi * np.arange(settings.samples, dtype=np.float64) / settings.samples
    centre = plane[margin : margin + n_rows, margin : margin + n_columns]
    points = []
    for row, column in zip(
        np.round(-settings.radius * np.sin(angles), 5), np.round(settings.radius * np.cos(angles), 5), strict=True
    ):
        low_row, high_row, past_row = _between(row, first_row, n_rows, margin)
        low_column, high_column, past_column = _between(column, first_column, n_columns, margin)
        upper, lower = plane[low_row], plane[high_row]
        top = (1 - past_column) * upper[:, low_column] + past_column * upper[:, high_column]
        bottom = (1 - past_column) * lower[:, low_column] + past_column * lower[:, high_column]
        points.append((1 - past_row[:, None]) * top + past_row[:, None] * bottom)
    if settings.method == "var":
        return _variance(points)
    bits = [point - centre >= 0 for point in points]
    if settings.method == "uniform":
        ones = sum((bit.astype(np.int64) for bit in bits), np.zeros(centre.shape, np.int64))
        changes = sum((a != b for a, b in pairwise(bits)), np.zeros(centre.shape, np.int64))
        return np.where(changes <= 2, ones, settings.samples + 1).astype(np.float64)
    code = sum((bit.astype(np.int64) << n for n, bit in enumerate(bits)), np.zeros(centre.shape, np.int64))
    if settings.method == "ror":
        smallest, turned = code, code
        for _ in range(1, settings.samples):
            turned = (turned >> 1) | ((turned & 1) << (settings.samples - 1))
            smallest = np.minimum(smallest, turned)
        code = smallest
    return code.astype(np.float64)


def _between(
    offset: float, first: int, count: int, margin: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """For every position along one axis: the two neighbours of `position + offset` in the padded slice, and how far past the lower."""
    position = first + np.arange(count) + offset
    low, high = np.floor(position), np.ceil(position)
    shift = margin - first
    return low.astype(np.intp) + shift, high.astype(np.intp) + shift, position - low


def _variance(points: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    total, squares = np.zeros_like(points[0]), np.zeros_like(points[0])
    for point in points:
        total += point
        squares += point * point
    variance = (squares - total * total / len(points)) / len(points)
    return np.where(variance != 0, variance, np.nan)
