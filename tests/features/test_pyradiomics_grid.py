"""Resampling by cubic B-splines and nearest neighbours against SimpleITK, voxel for voxel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

from isthmus import _core
from isthmus.features.profiles.pyradiomics_grid import core_grid
from isthmus.image import Geometry
from isthmus.image.io import read_image

TYPES = (np.int16, np.int32, np.float32, np.float64)
STRAIGHT = np.eye(3)[:, ::-1]


def itk(
    values: np.ndarray, geometry: Geometry, interpolator: int, spacing: Any, size: list[int], corner: Any
) -> np.ndarray:
    source = SimpleITK.GetImageFromArray(np.ascontiguousarray(values))
    source.SetSpacing([float(s) for s in geometry.spacing_mm[::-1]])
    source.SetOrigin(geometry.origin_mm)
    assert geometry.direction is not None
    source.SetDirection([float(d) for d in geometry.direction[:, ::-1].ravel()])
    peer = SimpleITK.ResampleImageFilter()
    peer.SetOutputSpacing([float(s) for s in spacing])
    peer.SetOutputDirection(source.GetDirection())
    peer.SetOutputOrigin(corner)
    peer.SetSize(size)
    peer.SetInterpolator(interpolator)
    return SimpleITK.GetArrayFromImage(peer.Execute(source))


def random_grid(
    seed: int, oblique: bool, shape: tuple[int, int, int] | None = None
) -> tuple[Geometry, np.ndarray, list[int], list[float]]:
    """A geometry, and the spacing, size and first point of another grid with its axes, partly outside."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turned *= np.sign(np.linalg.det(turned))
    spacing = rng.choice([0.5, 0.78125, 0.9769999980926514, 1.0, 3.27, 6.5], 3)
    shape = shape or tuple(int(n) for n in rng.integers(1, 40, 3))  # type: ignore[assignment]
    geometry = Geometry(
        shape, tuple(map(float, spacing)), tuple(rng.normal(0, 200, 3)), turned if oblique else STRAIGHT
    )
    new = rng.choice([0.7, 1.0, 2.0, 3.0], 3)
    size = [int(np.ceil(n * o / s)) + 2 for n, o, s in zip(shape[::-1], spacing[::-1], new, strict=True)]
    direction = geometry.direction[:, ::-1]  # type: ignore[index]
    corner = np.array(geometry.origin_mm) + direction @ (rng.choice([-1.0, 0.0, 0.5], 3) * new)
    return geometry, new, size, corner.tolist()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_cubic_voxels_are_itks(seed: int, oblique: bool, dtype: Any) -> None:
    """Any spacing, any direction, flat regions included: with every instruction set each voxel has ITK's bits."""
    geometry, new, size, corner = random_grid(seed, oblique)
    values = np.random.default_rng(seed).normal(0, 400, geometry.shape)
    values[:, : geometry.shape[1] // 2] = -1024
    values = values.astype(dtype)
    expected = itk(values, geometry, SimpleITK.sitkBSpline, new, size, corner)
    grid = core_grid(geometry, new, size, corner)
    assert all(
        _core.resample_cubic(values, grid, name).tobytes() == expected.tobytes() for name in _core.instruction_sets()
    )


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_nearest_voxels_are_itks(seed: int, oblique: bool) -> None:
    """The mask's voxels too, where a coordinate lies in the middle between two."""
    geometry, new, size, corner = random_grid(seed, oblique)
    mask = np.random.default_rng(seed).random(geometry.shape) < 0.5
    expected = itk(mask.view(np.uint8), geometry, SimpleITK.sitkNearestNeighbor, new, size, corner)
    np.testing.assert_array_equal(_core.resample_nearest(mask, core_grid(geometry, new, size, corner)), expected)


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_integers_are_clamped(dtype: Any) -> None:
    """Where the spline swings beyond the type's range its end is taken, as ITK does."""
    geometry, new, size, corner = random_grid(1, False, (9, 12, 15))
    information = np.iinfo(dtype)
    values = np.random.default_rng(0).choice([information.min, information.max], geometry.shape).astype(dtype)
    expected = itk(values, geometry, SimpleITK.sitkBSpline, new, size, corner)
    np.testing.assert_array_equal(_core.resample_cubic(values, core_grid(geometry, new, size, corner)), expected)


def test_a_part_of_a_large_image_is_itks(shared_data: Path) -> None:
    """Only the neighbourhood of the new grid is read, and a CT's voxels are still bit for bit ITK's."""
    image = read_image(shared_data / "ibsi/ct_phantom/nifti/image/phantom.nii.gz")
    new = np.array([1.0, 1.0, 1.0])
    corner = (np.array(image.geometry.origin_mm) + np.array([60.3, 70.1, 80.2])).tolist()
    size = [40, 50, 60]
    expected = itk(image.values, image.geometry, SimpleITK.sitkBSpline, new, size, corner)
    found = _core.resample_cubic(image.values, core_grid(image.geometry, new, size, corner))
    assert found.tobytes() == expected.tobytes()
