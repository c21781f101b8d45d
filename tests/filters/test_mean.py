"""The mean filter."""

import numpy as np
import pytest

from filters.making import constant, impulse, label, only
from isthmus.filters import parse_filter


@pytest.mark.parametrize(("by_slice", "voxels"), [(False, 27), (True, 9)])
def test_the_impulse_response_is_the_kernel(by_slice: bool, voxels: int) -> None:
    """An impulse becomes a cube (a square) of the support's width that sums to one."""
    found = only(impulse((7, 7, 7)), {"name": "mean", "support": 3, "by_slice": by_slice, "boundary": "zero"})
    expected = np.zeros((7, 7, 7))
    expected[(3 if by_slice else slice(2, 5)), 2:5, 2:5] = 1 / voxels
    np.testing.assert_allclose(found, expected, atol=1e-15)


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "mirror"])
def test_a_constant_stays(boundary: str) -> None:
    """The mean of a constant is the constant, wider supports than the image included."""
    found = only(constant(-1000), {"name": "mean", "support": 21, "boundary": boundary})
    np.testing.assert_allclose(found, -1000, rtol=1e-13)


def test_an_even_support_is_refused() -> None:
    """A support has a voxel in its middle."""
    with pytest.raises(ValueError, match=r"filter 'mean': support = 4: .*odd number of voxels; 3 or 5"):
        parse_filter({"name": "mean", "support": 4})


def test_the_support_must_be_given() -> None:
    """No width is usual, so none is assumed."""
    with pytest.raises(ValueError, match="filter 'mean': support.*required"):
        parse_filter("mean")


def test_labels_state_dimension_support_and_boundary() -> None:
    """The boundary is named unless it is the usual one."""
    assert label({"name": "mean", "support": 5}) == "ibsi-mean-3d-support-5"
    given = {"name": "mean", "support": 5, "by_slice": True, "boundary": "zero"}
    assert label(given) == "ibsi-mean-2d-support-5-zero"
