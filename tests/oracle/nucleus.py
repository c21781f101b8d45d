"""The features of one nucleus, slowly and obviously: the twin of `_core.nuclear_features`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.pathology.nucleus import NUCLEAR_FEATURES
from isthmus.pathology.stain import BACKGROUND, RUIFROK, Array, Pixels, Stains, haematoxylin_density

_POINTS = 64  # along the outline
_SMOOTH = 2.0  # standard deviation of the outline's smoothing, in those points
_LEVELS, _WIDTH = 8, 32
_STEPS = ((0, 1), (-1, 1), (-1, 0), (-1, -1))


def nuclear_features(
    mask: NDArray[np.bool_], rgb: Pixels, mpp: float, *, stains: Stains = RUIFROK, background: float = BACKGROUND
) -> dict[str, float]:
    density = haematoxylin_density(rgb, stains, background)[mask]
    image = np.clip(np.rint(255 * np.exp(-haematoxylin_density(rgb, stains, background))), 0, 255).astype(np.int64)
    found = dict.fromkeys(NUCLEAR_FEATURES, float("nan"))
    found |= _shape(mask, mpp)
    found |= _intensity(image[mask])
    found |= _texture(image // _WIDTH, mask)
    found |= {"haematoxylin_mean": float(density.mean()), "haematoxylin_std": float(density.std())}
    return found


def _shape(mask: NDArray[np.bool_], mpp: float) -> dict[str, float]:
    points = np.argwhere(mask)
    pixels = len(points)
    height, width = np.ptp(points, axis=0) + 1
    # each pixel is a square: its own second moment, 1/12, belongs to the ellipse's
    moments = np.cov(points.T, bias=True) + np.eye(2) / 12 if pixels > 1 else np.eye(2) / 12
    minor, major = 4 * np.sqrt(np.linalg.eigvalsh(moments))
    area = pixels * mpp**2
    found = {
        "area": area,
        "area_bbox": float(height * width) * mpp**2,
        "eccentricity": float(np.sqrt(max(0.0, 1 - (minor / major) ** 2))),
        "elongation": float(major / minor),
        "extent": pixels / float(height * width),
        "major_axis_length": float(major) * mpp,
        "minor_axis_length": float(minor) * mpp,
        "equivalent_diameter": float(np.sqrt(4 * area / np.pi)),
    }
    outline = _outline(mask)
    if outline is None:
        return found
    length = float(np.linalg.norm(np.diff(outline, axis=0), axis=1).sum())
    enclosed = _polygon_area(outline)
    curvature = _curvature(outline, length) / mpp
    return found | {
        "perimeter": length * mpp,
        "circularity": float(4 * np.pi * enclosed / length**2),
        "solidity": float(enclosed / _hull_area(outline)),
        "curve_mean": float(curvature.mean()),
        "curve_max": float(curvature.max()),
        "curve_min": float(curvature.min()),
        "curve_std": float(curvature.std()),
    }


def _outline(mask: NDArray[np.bool_]) -> Array | None:
    """The longest closed line where a lightly smoothed mask crosses one half, shape (n, 2) as (x, y); None where nothing is enclosed."""
    from contourpy import contour_generator
    from scipy import ndimage

    padded = np.pad(mask, 4).astype(np.float64)
    smooth = ndimage.gaussian_filter(padded, 1.0)
    lines = [np.asarray(line, dtype=np.float64) for line in contour_generator(z=smooth).lines(0.5)]
    line = max(lines, key=len, default=np.empty((0, 2)))
    if len(line) < 4:
        return None
    if _signed_area(line) < 0:
        line = line[::-1]
    first = np.lexsort((line[:-1, 0], line[:-1, 1]))[0]  # the outline starts at its uppermost point
    return np.vstack([np.roll(line[:-1], -first, axis=0), line[first]])


def _signed_area(line: Array) -> float:
    x, y = line[:, 0], line[:, 1]
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def _polygon_area(line: Array) -> float:
    return abs(_signed_area(line))


def _hull_area(line: Array) -> float:
    from scipy.spatial import ConvexHull

    return float(ConvexHull(line).volume)  # in the plane, scipy calls the area volume


def _curvature(line: Array, length: float) -> Array:
    """(x'y'' - y'x'') / (x'2 + y'2)^1.5 along the outline, brought to equal steps and smoothed; in 1/pixel, positive where convex."""
    from scipy import ndimage

    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    even = np.arange(_POINTS) * length / _POINTS
    x, y = (ndimage.gaussian_filter1d(np.interp(even, at, line[:, axis]), _SMOOTH, mode="wrap") for axis in (0, 1))
    step = length / _POINTS

    def first(v: Array) -> Array:
        return np.asarray((np.roll(v, -1) - np.roll(v, 1)) / (2 * step))

    def second(v: Array) -> Array:
        return np.asarray((np.roll(v, -1) - 2 * v + np.roll(v, 1)) / step**2)

    speed = (first(x) ** 2 + first(y) ** 2) ** 1.5
    return np.asarray((first(x) * second(y) - first(y) * second(x)) / speed, dtype=np.float64)


def _intensity(values: NDArray[np.int64]) -> dict[str, float]:
    away = values - values.mean()
    variance = float((away**2).mean())
    p = np.bincount(values, minlength=256) / len(values)
    p = p[p > 0]
    flat = variance == 0
    return {
        "intensity_mean": float(values.mean()),
        "intensity_std": float(np.sqrt(variance)),
        "intensity_max": float(values.max()),
        "intensity_min": float(values.min()),
        "intensity_skewness": float("nan") if flat else float((away**3).mean() / variance**1.5),
        "intensity_kurtosis": float("nan") if flat else float((away**4).mean() / variance**2 - 3),
        "intensity_entropy": float(-(p * np.log2(p)).sum()) + 0.0,
    }


def _texture(levels: NDArray[np.int64], mask: NDArray[np.bool_]) -> dict[str, float]:
    """Of each direction's symmetric co-occurrence matrix, then the mean over the directions that have pairs."""
    each = [_of_matrix(matrix) for step in _STEPS if (matrix := _pairs(levels, mask, step)).sum() > 0]
    if not each:
        return {}
    names = ("contrast", "homogeneity", "energy", "correlation")
    return {name: float(np.mean(values)) for name, values in zip(names, zip(*each, strict=True), strict=True)}


def _pairs(levels: NDArray[np.int64], mask: NDArray[np.bool_], step: tuple[int, int]) -> Array:
    here, there = (
        tuple(slice(max(0, sign * d), size + min(0, sign * d)) for d, size in zip(step, mask.shape, strict=True))
        for sign in (-1, 1)
    )
    both = mask[here] & mask[there]
    matrix = np.zeros((_LEVELS, _LEVELS))
    np.add.at(matrix, (levels[here][both], levels[there][both]), 1)
    return matrix + matrix.T


def _of_matrix(matrix: Array) -> tuple[float, float, float, float]:
    p = matrix / matrix.sum()
    i, j = np.indices(p.shape)
    mean = float((i * p).sum())
    variance = float(((i - mean) ** 2 * p).sum())
    correlation = float(((i - mean) * (j - mean) * p).sum() / variance) if variance > 0 else float("nan")
    return (
        float((p * (i - j) ** 2).sum()),
        float((p / (1 + (i - j) ** 2)).sum()),
        float(np.sqrt((p**2).sum())),
        correlation,
    )
