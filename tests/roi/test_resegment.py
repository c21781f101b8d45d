"""Re-segmentation of a region by its intensities."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import MaskError
from isthmus.roi.resegment import resegment

VALUES = np.array([[[-900.0, -500.0, 0.0, 20.0, 400.0, 401.0]]])
MASK = np.array([[[True, True, True, False, True, True]]])


def test_both_bounds_belong_to_the_range() -> None:
    """A voxel on a bound stays; one outside the mask never comes in."""
    kept = resegment(VALUES, MASK, low=-500, high=400)
    assert kept.ravel().tolist() == [False, True, True, False, True, False]


def test_a_side_can_be_open() -> None:
    """Without an upper bound, large intensities stay."""
    assert resegment(VALUES, MASK, low=0).sum() == 3


def test_outliers_are_judged_by_the_whole_region() -> None:
    """Mean and deviation come from every voxel of the mask, also those outside the range."""
    values = np.append(np.tile([0.0, 10.0], 50), [2000.0, 60.0]).reshape(1, 1, -1)
    mask = np.ones(values.shape, bool)
    # with the 2000 the deviation is 196 and 60 is no outlier; of what the range leaves it would be one (6 by 3 times 8)
    assert resegment(values, mask, high=100, outlier_sigma=3)[0, 0, -1]
    assert not resegment(values, mask, outlier_sigma=3)[0, 0, -2]


def test_equal_intensities_have_no_outliers() -> None:
    """The mean of 0.1 three times is not 0.1 exactly; no voxel goes for that."""
    values = np.full((1, 1, 3), 0.1)
    assert resegment(values, np.ones(values.shape, bool), outlier_sigma=1).all()


def test_the_mask_stays_as_it_was() -> None:
    """Only the intensity mask changes."""
    before = MASK.copy()
    resegment(VALUES, MASK, low=0)
    np.testing.assert_array_equal(MASK, before)


def test_an_empty_rest_is_an_error() -> None:
    """The message names the range and the intensities that came."""
    with pytest.raises(MaskError, match=r"\[500, inf\]; its intensities run from -900 to 401"):
        resegment(VALUES, MASK, low=500)
