"""Laws kernels."""

import numpy as np
import pytest
from scipy import ndimage

from filters.making import constant, impulse, label, noise, only
from isthmus.filters import parse_filter
from isthmus.filters.laws import KERNELS


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_have_unit_energy_and_only_levels_a_mean(name: str) -> None:
    """The squares of the taps sum to one; edges, spots, waves and ripples sum to zero."""
    taps = np.array(KERNELS[name].taps)
    assert np.sum(taps**2) == pytest.approx(1)
    assert (abs(taps.sum()) < 1e-15) == (not name.startswith("L"))


def test_the_impulse_response_is_the_kernel() -> None:
    """The first name belongs to x, our last axis, the last one to z, our first."""
    found = only(impulse((7, 7, 7)), {"name": "laws", "kernels": "E5L3S5", "boundary": "zero"})
    x, y, z = np.array([-1, -2, 0, 2, 1]) / 10**0.5, np.array([1, 2, 1]) / 6**0.5, np.array([-1, 0, 2, 0, -1]) / 6**0.5
    expected = np.zeros((7, 7, 7))
    expected[1:6, 2:5, 1:6] = z[:, None, None] * y[:, None] * x
    np.testing.assert_allclose(found, expected, atol=1e-15)


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "mirror"])
def test_a_constant_gives_zero(boundary: str) -> None:
    """One kernel that is no level is enough."""
    given = {
        "name": "laws",
        "kernels": "L5E5L3",
        "boundary": boundary,
        "rotation_invariance": True,
        "energy_distance": 2,
    }
    np.testing.assert_allclose(only(constant(-1000), given), 0, atol=1e-10)


@pytest.mark.parametrize(("boundary", "mode"), [("zero", "constant"), ("periodic", "wrap"), ("mirror", "reflect")])
def test_energy_is_the_mean_absolute_response_around(boundary: str, mode: str) -> None:
    """Over all voxels within the Chebyshev distance; beyond the border the response map goes on by the boundary condition."""
    image, given = noise((5, 9, 8), np.float64), {"name": "laws", "kernels": "S3E5L5", "boundary": boundary}
    response = np.abs(only(image, given))
    found = only(image, given | {"energy_distance": 3})
    np.testing.assert_allclose(found, ndimage.uniform_filter(response, 7, mode=mode), rtol=1e-11)


@pytest.mark.parametrize("pooling", ["max", "average", "min"])
def test_invariance_holds_under_quarter_turns(pooling: str) -> None:
    """A turned slice gives the turned response, to the bit of the rounding."""
    image, turned = (noise((2, 8, 8), np.float64, (1, 1, 1)) for _ in range(2))
    object.__setattr__(turned, "values", np.ascontiguousarray(np.rot90(image.values, axes=(1, 2))))
    given = {"name": "laws", "kernels": "E5S3", "by_slice": True, "rotation_invariance": True, "pooling": pooling}
    np.testing.assert_allclose(only(turned, given), np.rot90(only(image, given), axes=(1, 2)), atol=1e-10)


@pytest.mark.parametrize(
    ("given", "example"), [("L5E5", "L5E5E5"), ("L5E5X5", "L5E5E5"), ("L5E5E5E5", "L5E5E5"), ("l5e5e5", "L5E5E5")]
)
def test_one_kernel_per_axis_is_asked_for(given: str, example: str) -> None:
    """Too few, too many or unknown names are errors that show the right form."""
    with pytest.raises(ValueError, match=f"kernels = '{given}': 3 names of L3, .*such as '{example}'"):
        parse_filter({"name": "laws", "kernels": given})


def test_labels_state_kernels_pooling_and_energy() -> None:
    """What changes the numbers stands in the label."""
    given = {"name": "laws", "kernels": "L5E5", "by_slice": True, "rotation_invariance": True, "energy_distance": 7}
    assert label(given) == "ibsi-laws-2d-L5E5-invariant-max-energy-7"
    assert label({"name": "laws", "kernels": "L5E5E5"}) == "ibsi-laws-3d-L5E5E5"
