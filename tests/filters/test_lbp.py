"""Local binary patterns against patterns worked out by hand and slow twins written from the definition."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from isthmus.filters import lbp2d, lbp3d
from isthmus.image import Geometry, Image

WHOLE = (slice(0, 5), slice(0, 9), slice(0, 8))


def image(dtype: type = np.int16) -> Image:
    values = np.random.default_rng(4).normal(size=(5, 9, 8)).cumsum(1).cumsum(2) * 20
    values[1:4, 2:6, 3:7] = values[0, 0, 0]  # ties
    return Image(values.astype(dtype), Geometry(values.shape, (3, 1, 1)))


def slow_pattern(
    plane: np.ndarray, row: int, column: int, radius: float, samples: int
) -> tuple[list[int], list[float]]:
    """Bits and readings of one voxel, one point at a time."""

    def voxel(r: int, c: int) -> float:
        return float(plane[r, c]) if 0 <= r < plane.shape[0] and 0 <= c < plane.shape[1] else 0.0

    readings = []
    for point in range(samples):
        angle = 2 * np.pi * point / samples
        r = row + np.round(-radius * np.sin(angle), 5)
        c = column + np.round(radius * np.cos(angle), 5)
        r0, c0, r1, c1 = math.floor(r), math.floor(c), math.ceil(r), math.ceil(c)
        dr, dc = r - r0, c - c0
        top = (1 - dc) * voxel(r0, c0) + dc * voxel(r0, c1)
        bottom = (1 - dc) * voxel(r1, c0) + dc * voxel(r1, c1)
        readings.append((1 - dr) * top + dr * bottom)
    return [int(reading - voxel(row, column) >= 0) for reading in readings], readings


def slow_code(bits: list[int], readings: list[float], method: str) -> float:
    if method == "uniform":
        changes = sum(a != b for a, b in pairwise(bits))
        return sum(bits) if changes <= 2 else len(bits) + 1
    if method == "default":
        return sum(bit << n for n, bit in enumerate(bits))
    if method == "ror":
        return min(sum(bit << n for n, bit in enumerate(bits[k:] + bits[:k])) for k in range(len(bits)))
    return float(np.var(readings))


@pytest.mark.parametrize("method", ["uniform", "default", "ror", "var"])
@pytest.mark.parametrize(("radius", "samples"), [(1.0, 8), (2.3, 11)])
@pytest.mark.parametrize("axis", ["k", "j", "i"])
def test_patterns_in_slices_equal_the_slow_twin(method: str, radius: float, samples: int, axis: str) -> None:
    """Every voxel, ties and the image's border included."""
    picture = image(np.float64)
    settings = lbp2d.Settings(radius=radius, samples=samples, method=method, slice_axis=axis)  # type: ignore[arg-type]
    (found,) = lbp2d.apply(picture, WHOLE, settings)
    planes = np.swapaxes(picture.values, 0, "kji".index(axis))
    expected = np.array(
        [
            [
                [
                    slow_code(*slow_pattern(plane, row, column, radius, samples), method)
                    for column in range(plane.shape[1])
                ]
                for row in range(plane.shape[0])
            ]
            for plane in planes
        ]
    )
    expected = np.swapaxes(expected, 0, "kji".index(axis))
    if method == "var":
        np.testing.assert_allclose(np.nan_to_num(found), expected, atol=1e-9)
    else:
        np.testing.assert_array_equal(found, expected)


def test_the_pattern_of_a_ramp() -> None:
    """Intensities grow along i: of the eight points, the three to the right and the two above and below are at least the centre."""
    values = np.tile(np.arange(5, dtype=np.int16) + 1, (1, 5, 1))
    picture = Image(values, Geometry(values.shape, (1, 1, 1)))
    (found,) = lbp2d.apply(picture, (slice(0, 1), slice(2, 3), slice(2, 3)), lbp2d.Settings(method="default"))
    assert int(found[0, 0, 0]) == 0b11000111


@pytest.mark.parametrize("module", [lbp2d, lbp3d])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_box_has_the_voxels_of_the_whole(module: Any, dtype: type) -> None:
    """Only what the box needs is read, and it reads the same."""
    picture, box = image(dtype), (slice(1, 4), slice(2, 7), slice(1, 8))
    settings = module.Settings(radius=1.5)
    for part, whole in zip(module.apply(picture, box, settings), module.apply(picture, WHOLE, settings), strict=True):
        np.testing.assert_allclose(part, whole[box], rtol=1e-12)


def test_codes_beyond_the_images_type_are_not_wrapped() -> None:
    """Twenty samples make codes up to 2^20, more than int16 holds."""
    (found,) = lbp2d.apply(image(), WHOLE, lbp2d.Settings(radius=2, samples=20, method="default"))
    assert (found.max() > 32767, found.min() >= 0) == (True, True)


@pytest.mark.parametrize(("subdivisions", "corners"), [(0, 12), (1, 42), (2, 162)])
def test_the_icosphere_is_even(subdivisions: int, corners: int) -> None:
    """2 + 10 * 4^n corners on the unit sphere, balanced in every direction."""
    sphere = lbp3d.icosphere(subdivisions)
    np.testing.assert_allclose(
        [len(sphere), *sphere.sum(axis=0), *(sphere.T @ sphere / len(sphere) - np.eye(3) / 3).ravel()],
        [corners, *[0] * 12],
        atol=1e-12,
    )


def slow_sphere(picture: Image, voxel: tuple[int, int, int], settings: lbp3d.Settings) -> list[float]:
    """The responses of one voxel from the formula, with SciPy's interpolation."""
    from scipy.ndimage import map_coordinates
    from scipy.special import sph_harm_y

    corners = lbp3d.icosphere(settings.subdivisions)
    points = np.array(voxel)[:, None] + settings.radius * corners.T
    read = map_coordinates(picture.values, points, order=3)
    bits = (read >= picture.values[voxel]).astype(float)
    azimuth, polar = np.arccos(corners[:, 2]), np.arctan2(corners[:, 1], corners[:, 0])
    responses = []
    for degree in range(settings.levels):
        part = np.zeros(len(corners), dtype=complex)
        for order in range(-degree, degree + 1):
            harmonic = sph_harm_y(degree, order, polar, azimuth)
            part += harmonic * (harmonic * bits).sum()
        responses.append(float(np.sqrt((part**2).sum()).real))
    deviation = read.astype(float) - read.mean()
    return [*responses, float((deviation**4).mean() / (deviation**2).mean() ** 2 - 3)]


@pytest.mark.parametrize("voxel", [(0, 0, 0), (2, 7, 3), (4, 8, 7)])
def test_patterns_on_spheres_equal_the_slow_twin(voxel: tuple[int, int, int]) -> None:
    """Inside and at the corners of the image, where the sphere reads 0 outside."""
    picture, settings = image(np.float64), lbp3d.Settings(levels=3, radius=1.4)
    box = tuple(slice(n, n + 1) for n in voxel)
    found = [float(response[0, 0, 0]) for response in lbp3d.apply(picture, box, settings)]  # type: ignore[arg-type]
    assert found == pytest.approx(slow_sphere(picture, voxel, settings), rel=1e-9)


def test_every_degree_and_the_kurtosis_have_a_label() -> None:
    """lbp-3D-m1, m2, ... and lbp-3D-k."""
    assert lbp3d.labels(lbp3d.Settings(levels=3)) == ("lbp-3D-m1", "lbp-3D-m2", "lbp-3D-m3", "lbp-3D-k")
