"""The largest slice of a lesion, cut out: where, how large, and that its files give back what went in."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from isthmus.image import Image
from isthmus.image.crop import (
    grey_png,
    label_png,
    labels_over,
    lesion_crop,
    mask_png,
    read_grey_png,
    read_label_png,
    read_mask_png,
    whole_slice,
)
from isthmus.image.geometry import Geometry


def image(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Image:
    """Voxels that say where they are."""
    return Image(np.arange(np.prod(shape), dtype=np.float64).reshape(shape), Geometry(shape, spacing))


def test_the_slice_of_the_largest_area_is_taken() -> None:
    """Of slices with 1, 6 and 6 voxels the first with six."""
    mask = np.zeros((4, 40, 40), dtype=bool)
    mask[1, 5, 5] = mask[2, 5:8, 5:7] = mask[3, 5:8, 5:7] = True
    assert lesion_crop(image(mask.shape, (1, 1, 1)), mask).slice == 2


def test_values_and_mask_are_of_one_place() -> None:
    """Voxels under the cropped mask are those under the mask."""
    mask = np.zeros((2, 50, 60), dtype=bool)
    mask[1, 20:30, 3:9] = True
    whole = image(mask.shape, (3, 1, 0.5))
    crop = lesion_crop(whole, mask)
    assert sorted(crop.values[crop.mask]) == sorted(whole.values[mask])


def test_the_crop_is_square_in_millimetres() -> None:
    """A lesion of 30 by 10 mm: a square of 51 mm, in pixels of 1 by 0.5 mm."""
    mask = np.zeros((1, 200, 400), dtype=bool)
    mask[0, 80:110, 150:170] = True
    assert lesion_crop(image(mask.shape, (1, 1, 0.5)), mask, most=500).values.shape == (51, 102)


def test_the_crop_ends_where_the_image_ends() -> None:
    """A lesion that fills the image gives the image."""
    mask = np.ones((1, 12, 9), dtype=bool)
    assert lesion_crop(image(mask.shape, (1, 4, 4)), mask).values.shape == (12, 9)


def test_a_large_crop_is_averaged() -> None:
    """Of 8 x 8 pixels at most 4 x 4: the means of four, and twice the spacing."""
    mask = np.ones((1, 8, 8), dtype=bool)
    whole = image(mask.shape, (1, 5, 5))
    crop = lesion_crop(whole, mask, most=4)
    expected = whole.values[0].reshape(4, 2, 4, 2).mean(axis=(1, 3))
    assert (crop.values.tolist(), crop.spacing_mm) == (expected.tolist(), (10, 10))


def test_a_grey_png_gives_back_its_values() -> None:
    """To half of one of 65534 steps, NaN as NaN."""
    values = np.random.default_rng(1).normal(100, 40, size=(20, 30))
    values[3, 4] = np.nan
    content, low, high = grey_png(values)
    again = read_grey_png(base64.b64decode(content), low, high)
    np.testing.assert_allclose(again, values, rtol=0, atol=0.5001 * (high - low) / 65534)


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_a_flat_picture_is_a_picture(value: float) -> None:
    """One value everywhere, or none."""
    content, low, high = grey_png(np.full((3, 3), value))
    np.testing.assert_array_equal(read_grey_png(base64.b64decode(content), low, high), np.full((3, 3), value))


def test_a_mask_png_gives_back_the_mask() -> None:
    """Every pixel."""
    mask = np.random.default_rng(2).random((17, 9)) < 0.5
    assert (read_mask_png(base64.b64decode(mask_png(mask))) == mask).all()


def test_labels_of_a_finer_grid_lie_where_they_lie() -> None:
    """A label map in voxels of a third, on part of the image: each voxel of it is one pixel over the crop, and nothing elsewhere."""
    mask = np.zeros((3, 20, 16), dtype=bool)
    mask[1, 8:12, 6:10] = True
    whole = image(mask.shape, (5.0, 3.0, 3.0))
    own = Geometry((3, 12, 12), (5.0, 1.0, 1.0), origin_mm=(17.0, 23.0, 0.0))  # corners of pixel (8, 6): 18 - 1.5 + 0.5
    labels = np.zeros(own.shape, dtype=np.int32)
    labels[1] = np.arange(1, 145).reshape(12, 12)
    crop = lesion_crop(whole, mask, margin=2.0, least_mm=3.0)
    shown = labels_over(crop, whole.geometry, labels, own)
    assert (crop.start, shown.shape) == ((6, 4), (24, 24))
    np.testing.assert_array_equal(shown[6:18, 6:18], labels[1])
    assert (shown > 0).sum() == 144


def test_labels_of_a_coarser_grid_are_repeated() -> None:
    """A label of 4 mm covers four pixels of 2 mm."""
    mask = np.zeros((1, 12, 12), dtype=bool)
    mask[0, 4:8, 4:8] = True
    whole = image(mask.shape, (1.0, 2.0, 2.0))
    own = Geometry((1, 2, 2), (1.0, 4.0, 4.0), origin_mm=(9.0, 9.0, 0.0))
    crop = lesion_crop(whole, mask, margin=1.0, least_mm=1.0)
    shown = labels_over(crop, whole.geometry, np.array([[[1, 2], [3, 4]]], dtype=np.int32), own)
    np.testing.assert_array_equal(shown, np.array([[1, 2], [3, 4]]).repeat(2, axis=0).repeat(2, axis=1))


def test_the_whole_slice() -> None:
    """All of it, averaged to what is asked for."""
    mask = np.zeros((3, 40, 60), dtype=bool)
    mask[2, 5, 5] = True
    found = whole_slice(image(mask.shape, (1, 1, 1)), mask, most=30)
    assert (found.values.shape, found.slice, found.factor, found.start) == ((20, 30), 2, 2, (0, 0))


@pytest.mark.parametrize("largest", [9, 400])
def test_a_map_of_labels_comes_back(largest: int) -> None:
    """From a PNG of 8 or 16 bits."""
    labels = np.array([[0, 1], [largest, 3]], dtype=np.int32)
    np.testing.assert_array_equal(read_label_png(base64.b64decode(label_png(labels))), labels)
