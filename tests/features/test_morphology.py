"""IBSI morphology and local intensity at the edges: what has no value, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus import _core
from isthmus.features import morphology, shape2d

UNIT = (1.0, 1.0, 1.0)
OF_AXES = {
    "morph_pca_maj_axis",
    "morph_pca_min_axis",
    "morph_pca_least_axis",
    "morph_pca_elongation",
    "morph_pca_flatness",
}
OF_ELLIPSOID = {"morph_vol_dens_aee", "morph_area_dens_aee"}
OF_PAIRS = {"morph_moran_i", "morph_geary_c"}
OF_MASS = {"morph_com", "morph_integ_int"}


def undefined(values: np.ndarray, mask: np.ndarray, inside: np.ndarray | None = None) -> set[str]:
    found = morphology.compute(values, mask, mask if inside is None else inside, UNIT)
    return {tag for tag, value in zip(morphology.TAGS, found, strict=True) if np.isnan(value)}


def test_one_voxel() -> None:
    """Has no axes and no pairs; everything else has a value."""
    mask = np.ones((1, 1, 1), bool)
    assert undefined(np.full(mask.shape, 5.0), mask) == OF_AXES | OF_ELLIPSOID | OF_PAIRS


@pytest.mark.parametrize("shape", [(1, 1, 6), (1, 5, 6), (5, 1, 1)])
def test_a_line_and_a_plane(shape: tuple[int, int, int]) -> None:
    """Their approximate ellipsoid is flat."""
    mask = np.ones(shape, bool)
    assert undefined(np.arange(mask.size, dtype=np.float64).reshape(shape), mask) == OF_ELLIPSOID


def test_equal_intensities() -> None:
    """Have no autocorrelation."""
    mask = np.ones((3, 4, 5), bool)
    assert undefined(np.full(mask.shape, 3, np.int16), mask) == OF_PAIRS


def test_an_empty_intensity_mask() -> None:
    """Leaves the geometry."""
    mask = np.ones((3, 4, 5), bool)
    assert undefined(np.zeros(mask.shape), mask, ~mask) == OF_PAIRS | OF_MASS


def test_intensities_that_sum_to_zero() -> None:
    """Have no centre of mass."""
    mask = np.ones((1, 2, 2), bool)
    values = np.array([[[1.0, -1.0], [2.0, -2.0]]])
    assert undefined(values, mask) == OF_ELLIPSOID | {"morph_com"}


def test_two_components_count_as_one_region() -> None:
    """The hull spans the gap between them."""
    mask = np.zeros((3, 3, 9), bool)
    mask[:, :, :3] = mask[:, :, 6:] = True
    found = dict(zip(morphology.TAGS, morphology.compute(mask * 1.0 + np.arange(9), mask, mask, UNIT), strict=True))
    assert found["morph_vol_dens_conv_hull"] < 0.75


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_intensities_that_are_no_numbers(value: float) -> None:
    """Are refused inside the intensity mask, and not read outside it."""
    mask = np.ones((3, 3, 3), bool)
    values = np.arange(27.0).reshape(3, 3, 3)
    values[1, 1, 1] = value
    inside = np.isfinite(values)
    assert undefined(values, mask, inside) == set()
    with pytest.raises(ValueError, match="1 voxels of the intensity mask are NaN or infinite"):
        morphology.compute(values, mask, mask, UNIT)


def test_an_empty_mask() -> None:
    """Is refused."""
    with pytest.raises(ValueError, match="the morphological mask is empty"):
        morphology.compute(np.zeros((2, 2, 2)), np.zeros((2, 2, 2), bool), np.zeros((2, 2, 2), bool), UNIT)


def test_shapes_that_differ() -> None:
    """Are named."""
    with pytest.raises(ValueError, match=r"image \(2, 2, 2\), morphological mask \(2, 2, 3\)"):
        morphology.compute(np.zeros((2, 2, 2)), np.ones((2, 2, 3), bool), np.ones((2, 2, 3), bool), UNIT)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_peaks_of_every_type_of_image(dtype: type) -> None:
    """Integers up to 1000 are exact in each."""
    values = np.random.default_rng(3).integers(-500, 1000, (9, 14, 15))
    mask = np.zeros(values.shape, bool)
    mask[2:6, 3:9, 4:12] = True
    expected = _core.local_intensity(values.astype(np.float64), mask, (2.0, 1.0, 1.5))
    assert list(_core.local_intensity(values.astype(dtype), mask, (2.0, 1.0, 1.5))) == list(expected)


def test_peaks_of_a_view() -> None:
    """Any strides: a transposed image gives the same as its copy."""
    values = np.random.default_rng(3).normal(size=(15, 14, 9)).transpose()
    mask = np.zeros(values.shape, bool)
    mask[2:6, 3:9, 4:12] = True
    expected = _core.local_intensity(np.ascontiguousarray(values), mask, UNIT)
    assert list(_core.local_intensity(values, mask, UNIT)) == list(expected)


def test_peaks_refuse_what_is_no_number_inside() -> None:
    """NaN beside the region is left out; inside it is an error."""
    values, mask = np.ones((4, 4, 4)), np.zeros((4, 4, 4), bool)
    mask[1:3, 1:3, 1:3] = True
    values[0, 0, 0] = np.nan
    assert list(_core.local_intensity(values, mask, UNIT)) == [1, 1]
    values[1, 1, 1] = np.inf
    with pytest.raises(ValueError, match="1 voxels of the intensity mask are NaN or infinite"):
        _core.local_intensity(values, mask, UNIT)


def test_shape_in_a_slice_refuses_a_volume() -> None:
    """Two slices are one too many."""
    with pytest.raises(ValueError, match="spans 2 along the first axis"):
        shape2d.compute(np.ones((2, 3, 3), bool), UNIT)


@pytest.mark.parametrize("across", [0, 1, 2])
def test_shape_in_a_slice_across_any_axis(across: int) -> None:
    """The same outline in a slice across another axis: the same values."""
    mask = np.random.default_rng(1).random((1, 7, 9)) < 0.6
    expected = shape2d.compute(mask, (4.0, 1.0, 2.0))
    spacing = tuple(np.insert([1.0, 2.0], across, 4.0))
    assert list(shape2d.compute(np.moveaxis(mask, 0, across), spacing, across=across)) == list(expected)
