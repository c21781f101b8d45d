"""Grids in the patient."""

from __future__ import annotations

import numpy as np

from image.making import oblique
from isthmus.image import Geometry


def test_default_axes() -> None:
    """Without a direction, i runs along x, j along y, k along z."""
    affine = Geometry((1, 1, 1), (3, 2, 1)).affine
    np.testing.assert_array_equal(affine @ [1, 1, 1, 1], [1, 2, 3, 1])


def test_origin_is_the_first_voxel() -> None:
    """Voxel (0, 0, 0) lies at the origin."""
    np.testing.assert_array_equal((oblique().affine @ [0, 0, 0, 1])[:3], oblique().origin_mm)


def test_volume() -> None:
    """A voxel's volume is the product of the spacings."""
    assert Geometry((1, 1, 1), (3, 2, 0.5)).voxel_volume_mm3 == 3.0


def test_same_grid() -> None:
    """A grid lies on itself."""
    assert oblique().same_grid(oblique())


def test_rotated_grid() -> None:
    """A turn of a tenth of a degree moves the far corner, and is told."""
    turned = Geometry((9, 400, 400), (1, 1, 1), direction=np.eye(3)[:, ::-1])
    angle = np.radians(0.1)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    other = Geometry((9, 400, 400), (1, 1, 1), direction=turn @ np.eye(3)[:, ::-1])
    assert (turned.difference(other) or "").startswith("direction")


def test_rounding_is_no_difference() -> None:
    """Numbers that differ by less than the tolerance at every corner are one grid."""
    moved = Geometry(
        oblique().shape, oblique().spacing_mm, tuple(o + 5e-4 for o in oblique().origin_mm), oblique().direction
    )
    assert oblique().difference(moved) is None
