"""Supervoxels of a lesion: what section 22 of the specification asks of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from habitat.making import lesion
from isthmus.errors import ImageReadError, MaskError
from isthmus.habitat import SupervoxelSettings, cut
from isthmus.habitat.supervoxels import prepared, region_box
from isthmus.image import Image
from isthmus.roi import Roi

METHODS = ("slic", "kmeans", "growing")


@pytest.mark.parametrize("method", METHODS)
def test_kept_and_rejected_are_the_lesion(method: str) -> None:
    """Labels lie inside the mask only; with the rejected voxels they are all of it."""
    image, roi = lesion()
    settings = SupervoxelSettings(method=method)
    pieces = cut(image, roi, settings)
    region = prepared(image, roi, region_box(roi), settings)[1]
    np.testing.assert_array_equal((pieces.labels > 0) ^ pieces.rejected, region.mask)


@pytest.mark.parametrize("method", METHODS)
def test_every_supervoxel_hangs_together_and_is_large_enough(method: str) -> None:
    """One piece by faces, of at least minimum_voxels."""
    pieces = cut(*lesion(), SupervoxelSettings(method=method, compactness=0.3, minimum_voxels=60))
    parts = [ndimage.label(pieces.labels == label)[1] for label in range(1, pieces.count + 1)]
    assert (set(parts), np.bincount(pieces.labels.ravel()).min() >= 60) == ({1}, True)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_input_gives_the_same_bits(method: str) -> None:
    """Nothing is drawn."""
    first, second = (cut(*lesion(), SupervoxelSettings(method=method)) for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)


@pytest.mark.parametrize("outside", [-1000, 3000])
def test_the_outside_cannot_leak_in(outside: int) -> None:
    """Air or bone beside the lesion changes neither a label nor an intensity, although the lesion is resampled and smoothed."""
    image, roi = lesion()
    other = replace(image, values=np.where(roi.mask, image.values, outside).astype(np.int16))
    a, b = cut(image, roi), cut(other, roi)
    assert ((a.labels != b.labels).sum(), (a.image.values != b.image.values).sum()) == (0, 0)


def test_a_naive_smoother_would_leak() -> None:
    """The check above can fail: a plain Gaussian carries the air into the lesion, and the supervoxels are others."""
    image, roi = lesion()
    settings = SupervoxelSettings(spacing_mm=None, smoothing_mm=0)
    cuts = []
    for outside in (30, -1000):
        values = ndimage.gaussian_filter(np.where(roi.mask, image.values, outside).astype(float), (0.4, 1.25, 1.25))
        cuts.append(cut(replace(image, values=values), roi, settings).labels)
    assert (cuts[0] != cuts[1]).any()


def test_supervoxels_follow_the_border_of_two_tissues() -> None:
    """Hardly a piece holds both tissues."""
    image, roi = lesion()
    pieces = cut(image, roi, SupervoxelSettings(compactness=0.2, smoothing_mm=0.5))
    bright = ndimage.mean(pieces.image.values > 85, pieces.labels, range(1, pieces.count + 1))
    assert ((bright < 0.15) | (bright > 0.85)).mean() > 0.9


def test_small_lesions_get_smaller_supervoxels() -> None:
    """least_supervoxels rules where volume_mm3 would give a handful."""
    pieces = cut(*lesion(shape=(7, 20, 20)), SupervoxelSettings(volume_mm3=400, least_supervoxels=15))
    assert 10 <= pieces.count <= 22


def test_intensities_are_clipped_inside_the_window() -> None:
    """The window holds inside; outside the lesion the image is 0."""
    pieces = cut(*lesion(), SupervoxelSettings(window=(50.0, 90.0)))
    inside = pieces.image.values[pieces.labels > 0]
    assert (inside.min(), inside.max()) == (50, 90)


def test_a_slice_keeps_its_plane() -> None:
    """A single slice is not resampled across."""
    image, roi = lesion(shape=(1, 60, 60))
    assert cut(image, roi, SupervoxelSettings(volume_mm3=100.0)).labels.shape[0] == 1


def test_islands_that_are_too_small_are_rejected_not_lost() -> None:
    """A speck apart from the lesion is no supervoxel and is accounted for."""
    image, roi = lesion()
    mask = roi.mask.copy()
    mask[0, 0, 0] = True
    pieces = cut(image, Roi(mask, roi.geometry), SupervoxelSettings(spacing_mm=None))
    assert pieces.rejected.sum() == 1


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda image, roi: (image, replace(roi, mask=roi.mask & False)), MaskError, "holds no voxel"),
        (
            lambda image, roi: (
                Image(np.where(roi.mask, np.nan, image.values), image.geometry),
                roi,
            ),
            ImageReadError,
            "NaN or infinite",
        ),
        (
            lambda image, roi: (image, replace(roi, mask=roi.mask & (np.indices(roi.mask.shape).sum(axis=0) == 44))),
            MaskError,
            "one supervoxel needs 10000",
        ),
    ],
    ids=["empty", "NaN", "tiny"],
)
def test_what_cannot_be_cut(make, error, match) -> None:
    """Refused with the reason and what to do."""
    with pytest.raises(error, match=match):
        cut(*make(*lesion()), SupervoxelSettings(minimum_voxels=10000 if match.endswith("10000") else 25))
