"""Interpolation on the centred grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from isthmus.errors import ImageReadError
from isthmus.image import Geometry, Image
from isthmus.image.resample import Interpolation, positions, resample, resampled_geometry, rounded

METHODS: tuple[Interpolation, ...] = ("nearest", "linear", "cubic_spline")


def drawn(shape: tuple[int, int, int], spacing: tuple[float, float, float], seed: int = 1) -> Image:
    values = np.random.default_rng(seed).normal(40, 90, shape)
    return Image(values, Geometry(shape, spacing, (5.0, -3.0, 11.0)))


@pytest.mark.parametrize(
    ("shape", "old", "new", "expected"),
    [
        ((60, 201, 204), (3.0, 0.9765625, 0.9765625), (2.0, 2.0, 2.0), (90, 99, 100)),  # IBSI's CT phantom
        ((8, 8, 8), (2.0, 2.0, 2.0), (0.0, 1.0, 3.0), (8, 16, 6)),
        ((1, 5, 5), (5.0, 1.0, 1.0), (10.0, 1.0, 1.0), (1, 5, 5)),
        ((10, 10, 10), (0.1, 0.1, 0.1), (0.3, 0.2, 1.0), (4, 5, 1)),  # 0.1 * 10 / 0.2 is not exactly 5
    ],
)
def test_the_new_grid_covers_the_old_one(
    shape: tuple[int, int, int],
    old: tuple[float, float, float],
    new: tuple[float, float, float],
    expected: tuple[int, int, int],
) -> None:
    """Its size is the old length over the new spacing, rounded up; 0 keeps an axis."""
    assert resampled_geometry(Geometry(shape, old), new).shape == expected


def test_both_grids_share_their_centre() -> None:
    """The world position of the middle of the volume stays, on an oblique grid too."""
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    old = Geometry((7, 10, 13), (3.0, 0.7, 0.9), (4.0, 5.0, -6.0), turn)
    new = resampled_geometry(old, (2.0, 1.1, 0.4))

    def middle(geometry: Geometry) -> np.ndarray:
        return geometry.affine @ [*((np.asarray(geometry.shape) - 1) / 2), 1.0]

    np.testing.assert_allclose(middle(new), middle(old), atol=1e-12)


def test_positions_agree_with_the_world() -> None:
    """The continuous old index of a new voxel is where the two affines say it is."""
    old = drawn((6, 9, 8), (3.0, 1.0, 0.8)).geometry
    new = resampled_geometry(old, (1.3, 0.6, 2.0))
    k, j, i = positions(old, new)
    world = new.affine @ [2, 3, 1, 1.0]
    np.testing.assert_allclose(np.linalg.solve(old.affine, world)[:3], [k[2], j[3], i[1]], atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_interpolation_equals_scipys(method: Interpolation) -> None:
    """Every new voxel is scipy's value at the same point, for points within the old voxel centres and beyond."""
    image = drawn((9, 12, 7), (2.0, 1.0, 1.5))
    new = resample(image, (1.3, 1.7, 0.7), interpolation=method)
    at = np.meshgrid(*positions(image.geometry, new.geometry), indexing="ij")
    inside = [np.clip(c, 0, n - 1) for c, n in zip(at, image.geometry.shape, strict=True)]
    if method == "nearest":
        inside = [np.floor(c + 0.5) for c in inside]
    order = {"nearest": 0, "linear": 1, "cubic_spline": 3}[method]
    expected = ndimage.map_coordinates(image.values, inside, order=order, mode="mirror")
    np.testing.assert_allclose(new.values, expected, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_a_box_is_a_part_of_the_whole(method: Interpolation) -> None:
    """Only the voxels near the box are read, and its values and world position are those of the whole new image."""
    image = drawn((90, 80, 70), (1.0, 1.0, 1.0))
    box = (slice(50, 70), slice(40, 45), slice(0, 9))
    whole = resample(image, (0.8, 1.2, 1.0), interpolation=method)
    part = resample(image, (0.8, 1.2, 1.0), interpolation=method, box=box)
    np.testing.assert_allclose(part.values, whole.values[box], rtol=0, atol=1e-11)
    np.testing.assert_allclose(part.geometry.affine @ [0, 0, 0, 1], whole.geometry.affine @ [50, 40, 0, 1], atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_spacing_changes_nothing(method: Interpolation) -> None:
    """No bit moves, and the type stays."""
    image = Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), Geometry((3, 4, 5), (2.0, 1.0, 1.0)))
    same = resample(image, (2.0, 1.0, 1.0), interpolation=method)
    assert same.values.dtype == np.int16
    np.testing.assert_array_equal(same.values, image.values)


@pytest.mark.parametrize("method", ["linear", "cubic_spline"])
def test_straight_lines_stay_straight(method: Interpolation) -> None:
    """A plane is reproduced inside; beyond the outermost centres the border's value stands."""
    k, j, i = np.mgrid[0:40.0, 0:40.0, 0:41.0]
    image = Image(3 * k - 2 * j + i, Geometry((40, 40, 41), (1.0, 1.0, 1.0)))
    new = resample(image, (0.5, 0.5, 0.5), interpolation=method)
    at_k, at_j, at_i = positions(image.geometry, new.geometry)
    middle = (slice(30, 50),) * 3
    expected = 3 * at_k[:, None, None] - 2 * at_j[None, :, None] + at_i
    np.testing.assert_allclose(new.values[middle], expected[middle], atol=1e-9)
    assert at_k[0] < 0
    np.testing.assert_allclose(new.values[0], resample(image, (0, 0.5, 0.5), interpolation=method).values[0], atol=1e-9)


def test_one_slice_can_be_resampled() -> None:
    """A single slice has nothing to interpolate between: every new slice repeats it."""
    image = drawn((1, 6, 6), (5.0, 1.0, 1.0))
    for method in METHODS:
        new = resample(image, (1.0, 1.0, 1.0), interpolation=method)
        np.testing.assert_allclose(new.values, np.repeat(image.values, 5, axis=0))


def test_rounding_is_to_the_nearest_integer() -> None:
    """HU come back as the smallest integer type that holds them."""
    assert rounded(np.array([[[-1000.4, 2.5, 3.5, 3071.2]]])).tolist() == [[[-1000, 2, 4, 3071]]]
    assert rounded(np.array([1e5])).dtype == np.int32
    assert np.isnan(rounded(np.array([np.nan, 1.0]))[0])


@pytest.mark.parametrize("spacing", [(0.0, 0.0, 0.0), (1.0, 0.7, 1.0)])
def test_whole_intensities_are_rounded_before_too(spacing: tuple[float, float, float]) -> None:
    """A CT stored as floating point gives what its whole HU give."""
    image = drawn((5, 6, 7), (2.0, 1.0, 1.0))
    whole = Image(np.rint(image.values), image.geometry)
    found = resample(image, spacing, interpolation="linear", rounding=True)
    np.testing.assert_array_equal(found.values, resample(whole, spacing, interpolation="linear", rounding=True).values)
    assert found.values.dtype == np.int16


def test_a_spacing_in_the_wrong_unit_is_explained() -> None:
    """Micrometres for millimetres would need a thousand million times the voxels."""
    with pytest.raises(ImageReadError, match="Is spacing_mm in millimetres"):
        resample(drawn((100, 100, 100), (1.0, 1.0, 1.0)), (0.001, 0.001, 0.001))
