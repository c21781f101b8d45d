"""Slow twins of IBSI morphology and local intensity, from the text of the manual: every vertex, every voxel, every pair of voxels.

Mesh volume and area are taken from the shape family, which has twins and references of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation
from scipy.special import eval_legendre

from isthmus import _core

Spacing = tuple[float, float, float]
Points = NDArray[np.float64]


def mesh(mask: NDArray[np.bool_], spacing: Spacing) -> tuple[float, float]:
    """Volume and area of the mesh, by the shape family."""
    sample = _core.Sample(region := _core.Region(mask, spacing), mask.astype(np.int16))
    values = _core.features(region, sample, np.array([0.0, 2.0]), 1, _core.Workspace())
    named = dict(zip(_core.feature_names("shape"), values, strict=True))
    return named["MeshVolume"], named["SurfaceArea"]


def principal_lengths(mask: NDArray[np.bool_], spacing: Spacing) -> Points:
    """Least, minor and major axis length: covariance over N - 1."""
    centres = np.argwhere(mask) * np.asarray(spacing)
    return np.asarray(4 * np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(centres.T)), 0)))


def ellipsoid_area(a: float, b: float, c: float) -> float:
    """Area of the ellipsoid with semi-axes a >= b >= c by IBSI's series over Legendre polynomials up to order 20."""
    alpha, beta = np.sqrt(1 - b**2 / a**2), np.sqrt(1 - c**2 / a**2)
    order = np.arange(21)
    polynomial = eval_legendre(order, (alpha**2 + beta**2) / (2 * alpha * beta))
    return float(4 * np.pi * a * b * np.sum((alpha * beta) ** order / (1 - 4 * order**2) * polynomial))


def centre_of_mass_shift(
    values: NDArray[np.generic], mask: NDArray[np.bool_], inside: NDArray[np.bool_], spacing: Spacing
) -> float:
    x = values[inside].astype(np.float64)
    weighted = (np.argwhere(inside) * x[:, None]).sum(axis=0) / x.sum()
    return float(np.linalg.norm((np.argwhere(mask).mean(axis=0) - weighted) * spacing))


def box_volume(points: Points, axes: Points) -> float:
    """Volume of the box around the points with the given axes (columns)."""
    return float(np.prod(np.ptp(points @ axes, axis=0)))


def turned_boxes(points: Points, rng: np.random.Generator, count: int) -> float:
    """Smallest of the boxes turned at random, each tried again at smaller and smaller turns around the best."""
    best, axes = box_volume(points, np.eye(3)), np.eye(3)
    for turn in np.geomspace(1.5, 1e-3, count):
        tried = Rotation.from_rotvec(rng.normal(0, turn, 3)).as_matrix() @ axes
        if (volume := box_volume(points, tried)) < best:
            best, axes = volume, tried
    return best


def ellipsoid_bounds(points: Points, steps: int) -> tuple[float, float]:
    """Volumes between which the smallest enclosing ellipsoid lies: Titterington's multiplicative weights and their duality gap."""
    corners = points[ConvexHull(points).vertices]
    lifted = np.c_[corners, np.ones(len(corners))]
    weight = np.full(len(corners), 1 / len(corners))
    distance = np.empty(0)
    for _ in range(steps):
        moments = (lifted * weight[:, None]).T @ lifted
        distance = np.einsum("na,ab,nb->n", lifted, np.linalg.inv(moments), lifted)
        weight *= distance / 4
    moments = (lifted * weight[:, None]).T @ lifted
    distance = np.einsum("na,ab,nb->n", lifted, np.linalg.inv(moments), lifted)
    centre = moments[:3, 3]
    root = np.sqrt(np.linalg.det(moments[:3, :3] - np.outer(centre, centre)))
    ball = 4 / 3 * np.pi
    return float(ball * 3**1.5 * root), float(ball * (distance.max() - 1) ** 1.5 * root)


def moran_and_geary(values: NDArray[np.generic], inside: NDArray[np.bool_], spacing: Spacing) -> tuple[float, float]:
    """Both indices from the matrix of all distances."""
    centres = np.argwhere(inside) * np.asarray(spacing)
    distance = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    weight, x = 1 / distance, values[inside].astype(np.float64)
    y = x - x.mean()
    moran = len(x) / weight.sum() * (weight * np.outer(y, y)).sum() / (y @ y)
    geary = (len(x) - 1) / (2 * weight.sum()) * (weight * (x[:, None] - x[None]) ** 2).sum() / (y @ y)
    return float(moran), float(geary)


def intensity_peaks(values: NDArray[np.generic], inside: NDArray[np.bool_], spacing: Spacing) -> tuple[float, float]:
    """Local and global intensity peak: the mean of all finite voxels within 6.2 mm of each voxel of the region."""
    x = values.astype(np.float64)
    everywhere = np.argwhere(np.isfinite(x)) * np.asarray(spacing)
    finite, radius = x[np.isfinite(x)], 10 * (3 / (4 * np.pi)) ** (1 / 3)
    means = {
        tuple(voxel): finite[np.linalg.norm(everywhere - voxel * spacing, axis=1) <= radius].mean()
        for voxel in np.argwhere(inside)
    }
    largest = x[inside].max()
    return max(mean for voxel, mean in means.items() if x[voxel] == largest), max(means.values())
