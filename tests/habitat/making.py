"""Lesions with a known inside, and tables of supervoxels with known values."""

from __future__ import annotations

import numpy as np

from isthmus.habitat import NAMES, SupervoxelTable
from isthmus.image import Image
from isthmus.image.geometry import Geometry
from isthmus.roi import Roi


def lesion(*, shape: tuple[int, int, int] = (12, 40, 40), seed: int = 1) -> tuple[Image, Roi]:
    """An ellipsoid of two tissues (60 and 110 HU, noise 8) in anisotropic voxels, muscle around it."""
    spacing = (2.5, 0.8, 0.8)
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(shape)
    centre = [(n - 1) / 2 for n in shape]
    half = [max(0.42 * n * s, s) for n, s in zip(shape, spacing, strict=True)]
    away = sum(((x - c) * s / h) ** 2 for x, c, s, h in zip((k, j, i), centre, spacing, half, strict=True))
    values = np.where(i > centre[2], 110, 60) + rng.normal(0, 8, shape)
    values = np.where(away < 1, values, 30)
    geometry = Geometry(shape, spacing)
    return Image(np.rint(values).astype(np.int16), geometry, quantity="HU"), Roi(away < 1, geometry)


def table(values: np.ndarray, patient: str = "p1", voxels: np.ndarray | None = None) -> SupervoxelTable:
    """Supervoxels all of whose features have these values."""
    x = np.asarray(values, dtype=np.float64)
    return SupervoxelTable(
        patient, np.repeat(x[:, None], len(NAMES), axis=1), np.full(len(x), 400.0) if voxels is None else voxels
    )


def ball(kind: str, millilitres: float, seed: int = 1) -> tuple[Image, Roi]:
    """A ball in voxels of 1 mm, noise 8: "homogeneous", "two compact" halves, four "interleaved" layers of two tissues, or a "gradient"."""
    rng = np.random.default_rng(seed)
    radius = (millilitres * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    n = int(2 * radius) + 4
    at = np.indices((n, n, n)) - (n - 1) / 2
    values = 60 + rng.normal(0, 8, (n, n, n))
    if kind == "two compact":
        values += 60 * (at[2] > 0)
    elif kind == "interleaved":
        values += 60 * (np.floor(at[2] / (radius / 2)) % 2)
    elif kind == "gradient":
        values += 60 * (at[2] / radius + 1) / 2
    geometry = Geometry((n, n, n), (1.0, 1.0, 1.0))
    return Image(np.rint(values).astype(np.int16), geometry, quantity="HU"), Roi(
        (at**2).sum(axis=0) < radius**2, geometry
    )
