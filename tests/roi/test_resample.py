"""A region on another grid."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import MaskError
from isthmus.image import Geometry
from isthmus.image.resample import interpolate, resampled_geometry
from isthmus.roi import Roi
from isthmus.roi.resample import resample_roi


def region(mask: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Roi:
    return Roi(mask, Geometry(mask.shape, spacing))


def test_half_covered_voxels_belong_to_the_region() -> None:
    """At the threshold itself a voxel is inside, whatever the rounding."""
    mask = np.zeros((1, 1, 8), bool)
    mask[..., 3:6] = True  # new voxels of width 2 cover (2, 3), (4, 5): one half and all
    assert resample_roi(region(mask), (1, 1, 2)).mask.ravel().tolist() == [False, True, True, False]


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic_spline"])
def test_the_region_alone_is_interpolated(interpolation: str) -> None:
    """Looking only around the region gives what the whole mask gives."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        mask = np.zeros((12, 14, 13), bool)
        low = rng.integers(0, 8, 3)
        box = tuple(slice(a, a + n) for a, n in zip(low, rng.integers(1, 5, 3), strict=True))
        mask[box] = True
        roi = region(mask, (2.0, 1.0, 1.0))
        spacing = tuple(float(s) for s in rng.choice([0.7, 1.0, 1.9], 3))
        new = resampled_geometry(roi.geometry, spacing)
        whole = interpolate(mask.view(np.uint8), roi.geometry, new, interpolation) >= 0.5 - 1e-9
        if whole.any():
            np.testing.assert_array_equal(resample_roi(roi, spacing, interpolation=interpolation).mask, whole)


def test_a_region_on_the_border_reaches_the_new_border() -> None:
    """Beyond the last voxel centre the border's own voxel speaks."""
    roi = region(np.ones((3, 3, 3), bool), (3.0, 3.0, 3.0))
    assert resample_roi(roi, (1.0, 1.0, 1.0)).mask.all()


def test_a_region_that_vanishes_is_an_error() -> None:
    """A single voxel on a four times coarser grid covers nothing by half."""
    mask = np.zeros((9, 9, 9), bool)
    mask[2, 2, 2] = True
    with pytest.raises(MaskError, match="covers no voxel of the new grid"):
        resample_roi(region(mask), (4.0, 4.0, 4.0))


def test_the_same_spacing_returns_the_region_itself() -> None:
    """Nothing is copied or rounded."""
    roi = region(np.ones((2, 2, 2), bool))
    assert resample_roi(roi, (1.0, 0.0, 1.0)) is roi
