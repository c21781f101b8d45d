r"""Local binary patterns on a sphere, made independent of rotation by spherical harmonics, as PyRadiomics computes them.

Around each voxel the image is read by cubic splines at the :math:`V` corners of an icosphere (0 outside the image). Corner :math:`v` says
:math:`b_v = 1` where it is at least the centre. For degree :math:`n`

.. math:: g_n(v) = \sum_m Y_n^m(v) \sum_w Y_n^m(w)\, b_w, \qquad \text{response } \sqrt{\sum_v g_n(v)^2}

and the last map is the kurtosis (in excess) of the :math:`V` values read. Two things are PyRadiomics' own and kept: the harmonics are not
conjugated, and polar angle and azimuth are exchanged.

References
----------
Banerjee, Moelker, Niessen, van Walsum, ACCV 2012 Workshops, LNCS 7728, doi:10.1007/978-3-642-37410-4_3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from isthmus.filters._spec import Box, FilterSettings, widened
from isthmus.image import Image

__all__ = ["NAME", "Settings", "apply", "icosphere", "labels"]

NAME = "lbp3d"

_SPLINE_MARGIN = 40  # voxels; the spline's pole to this power is 1e-23
_VOXELS_AT_ONCE = 1 << 17


class Settings(FilterSettings):
    """levels: degrees of the harmonics, from 0; radius: of the sphere, in voxels; subdivisions: of the icosahedron's faces."""

    name: Literal["lbp3d"] = "lbp3d"
    levels: int = Field(default=2, ge=1, le=20)
    radius: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    subdivisions: int = Field(default=1, ge=0, le=5)


def labels(settings: Settings) -> tuple[str, ...]:
    return (*(f"lbp-3D-m{level + 1}" for level in range(settings.levels)), "lbp-3D-k")


def apply(image: Image, box: Box, settings: Settings) -> Iterator[NDArray[np.float64]]:
    """The maps of the degrees and the kurtosis, double."""
    from scipy import ndimage

    corners = icosphere(settings.subdivisions) * settings.radius
    reach = int(np.ceil(settings.radius)) + 3
    outer, _ = widened(box, (reach + _SPLINE_MARGIN,) * 3, image.values.shape)
    near, _ = widened(box, (reach,) * 3, image.values.shape)
    coefficients = ndimage.spline_filter(image.values[outer], order=3, mode="mirror")
    coefficients = coefficients[
        tuple(slice(n.start - o.start, n.stop - o.start) for n, o in zip(near, outer, strict=True))
    ]
    maps = np.empty((settings.levels + 1, *(part.stop - part.start for part in box)))
    slices = max(1, _VOXELS_AT_ONCE // max(1, maps[0, 0].size))
    for start in range(0, maps.shape[1], slices):
        stop = min(start + slices, maps.shape[1])
        chunk = (slice(box[0].start + start, box[0].start + stop), *box[1:])
        read = image.cut(_on_sphere(coefficients, image.values.dtype, near, chunk, corners))
        pattern = read >= image.values[chunk].reshape(-1, 1)
        for level in range(settings.levels):
            maps[level, start:stop] = _degree(pattern, level, settings.subdivisions).reshape(maps[0, start:stop].shape)
        maps[-1, start:stop] = _kurtosis(read).reshape(maps[0, start:stop].shape)
    yield from maps


def _on_sphere(
    coefficients: NDArray[np.float64],
    kind: np.dtype[Any],
    near: Box,
    box: Box,
    corners: NDArray[np.float64],
) -> NDArray[Any]:
    """Array (voxels of the box, corners): the spline at the corners around each voxel, rounded to the image's type."""
    from scipy import ndimage

    size = tuple(part.stop - part.start for part in box)
    read = np.empty((math.prod(size), len(corners)), dtype=kind)
    first = np.array([b.start - n.start for b, n in zip(box, near, strict=True)], dtype=np.float64)
    for number, corner in enumerate(corners):
        # A grid shifted by a constant needs the spline's weights once per row. Splitting the 64 products by axis would be faster, but
        # its rounding decides otherwise where corner and centre are equal, as in flat parts of an image.
        read[:, number] = ndimage.affine_transform(
            coefficients,
            np.ones(3),
            offset=first + corner,
            output_shape=size,
            output=kind,
            order=3,
            mode="constant",
            prefilter=False,
        ).ravel()
    return read


def _degree(pattern: NDArray[np.bool_], degree: int, subdivisions: int) -> NDArray[np.float64]:
    """Norm of the degree's part of each pattern.

    Summed in PyRadiomics' order: patterns that turn into one another have one value but for rounding, and percentiles fall on it.
    """
    harmonics = _harmonics(degree, subdivisions)
    sums = np.zeros((len(harmonics[0]), len(pattern)), dtype=np.complex128)
    for corner, row in enumerate(harmonics):
        sums[:, pattern[:, corner]] += row[:, None]
    squares = np.zeros(len(pattern))
    for row in harmonics:
        part = np.zeros(len(pattern), dtype=np.complex128)
        for total, harmonic in zip(sums, row, strict=True):
            part += total * harmonic
        squares += part.real**2 - part.imag**2
    norm: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0))
    return norm


@lru_cache(maxsize=64)
def _harmonics(degree: int, subdivisions: int) -> NDArray[np.complex128]:
    """Array (corners, 2 degree + 1): the harmonics of the degree at the corners."""
    from scipy.special import sph_harm_y

    corners = icosphere(subdivisions)
    azimuth = np.arccos(np.clip(corners[:, 2], -1, 1))  # exchanged, see above
    polar = np.arctan2(corners[:, 1], corners[:, 0])
    return np.stack([sph_harm_y(degree, order, polar, azimuth) for order in range(-degree, degree + 1)], axis=1)


def _kurtosis(read: NDArray[Any]) -> NDArray[np.float64]:
    """Fourth moment over the squared second, minus 3; NaN where all corners read the same. Single precision for such images."""
    values = read if read.dtype.kind == "f" else read.astype(np.float64)
    deviation = values - values.mean(axis=1, keepdims=True)
    second = (deviation**2).mean(axis=1)
    fourth = (deviation**2) ** 2
    flat = second <= (np.finfo(values.dtype).eps * values.mean(axis=1)) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        kurtosis = fourth.mean(axis=1) / second**2 - values.dtype.type(3)
    kurtosis[flat] = np.nan
    return kurtosis.astype(np.float64)


@lru_cache(maxsize=8)
def icosphere(subdivisions: int) -> NDArray[np.float64]:
    """Corners of an icosahedron whose faces are divided in four `subdivisions` times, on the unit sphere.

    Returns
    -------
    array, shape (2 + 10 * 4**subdivisions, 3)
    """
    golden = (1 + math.sqrt(5)) / 2
    around = [(-1, golden), (1, golden), (-1, -golden), (1, -golden)]
    twelve = [(a, b, 0.0) for a, b in around] + [(0.0, a, b) for a, b in around] + [(b, 0.0, a) for a, b in around]
    corners = [np.array(point) / np.linalg.norm(point) for point in twelve]
    side = min(float(np.linalg.norm(corners[0] - other)) for other in corners[1:]) * 1.01
    faces = [
        face
        for face in combinations(range(12), 3)
        if all(np.linalg.norm(corners[p] - corners[q]) < side for p, q in combinations(face, 2))
    ]
    for _ in range(subdivisions):
        # by their second end, then the first: the order in which single precision is summed
        edges = sorted({(max(pair), min(pair)) for face in faces for pair in combinations(face, 2)})
        middle = {edge: len(corners) + number for number, edge in enumerate(edges)}
        inner = np.array([(corners[high] + corners[low]) / 2 for high, low in edges])
        length = np.sqrt((inner**2).sum(axis=1, keepdims=True))
        corners += list(inner + inner / length * (1 - length))
        divided = []
        for a, b, c in faces:
            ab, bc, ca = (middle[max(p, q), min(p, q)] for p, q in ((a, b), (b, c), (c, a)))
            divided += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = divided
    result = np.array(corners) + 0.0  # no negative zeros: they would turn an angle by 180 degrees
    result.setflags(write=False)
    return result
