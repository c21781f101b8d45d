"""Slow twins of the shape family: every triangle, every pair of vertices, every voxel.

The triangles come from PyRadiomics' rule in words: the surface passes through the midpoint of every edge between a voxel of the
region and one outside. How an ambiguous cube is cut is a table and no definition, so area and mesh volume are held against
PyRadiomics' own values (tests/reference), and here only against bounds and against boxes.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray


def vertices(mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    """Midpoints of all faces between the region and its outside, in halves of a voxel, then mm."""
    padded = np.pad(mask, 1).astype(np.int8)
    found = []
    for axis in range(3):
        position = np.argwhere(np.diff(padded, axis=axis) != 0).astype(float) * 2
        position[:, axis] += 1
        found.append(position)
    return np.concatenate(found) * np.asarray(spacing) / 2


def diameters(mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> dict[str, float]:
    """Largest distances between vertices: anywhere, and on one plane."""
    largest = {"Maximum3DDiameter": 0.0}
    planes = {"Maximum2DDiameterSlice": 0, "Maximum2DDiameterColumn": 1, "Maximum2DDiameterRow": 2}
    largest |= dict.fromkeys(planes, 0.0)
    for a, b in combinations(vertices(mask, spacing), 2):
        distance = float(np.linalg.norm(a - b))
        largest["Maximum3DDiameter"] = max(largest["Maximum3DDiameter"], distance)
        for name, axis in planes.items():
            if a[axis] == b[axis]:
                largest[name] = max(largest[name], distance)
    return largest


def axes(mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> dict[str, float]:
    """Axis lengths from the covariance of the voxel centres."""
    centres = np.argwhere(mask) * np.asarray(spacing)
    centres -= centres.mean(axis=0)
    least, minor, major = np.maximum(np.linalg.eigvalsh(centres.T @ centres / len(centres)), 0)
    return {
        "LeastAxisLength": 4 * np.sqrt(least),
        "MinorAxisLength": 4 * np.sqrt(minor),
        "MajorAxisLength": 4 * np.sqrt(major),
    }
