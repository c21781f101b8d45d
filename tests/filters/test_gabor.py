"""Gabor filters."""

import math

import numpy as np
import pytest
from scipy import ndimage

from filters.making import impulse, label, noise, only
from isthmus.errors import CaseError
from isthmus.filters import parse_filter, response_maps
from isthmus.image import Geometry, Image

ONE = {"name": "gabor", "sigma_mm": 3, "wavelength_mm": 4, "gamma": 0.5}


def kernel(theta: float, sigma: float = 3, wavelength: float = 4, gamma: float = 0.5, reach: int = 25) -> np.ndarray:
    """IBSI's formula on voxels of 1 mm, rows along y."""
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    u, v = x * math.cos(theta) + y * math.sin(theta), -x * math.sin(theta) + y * math.cos(theta)
    return np.exp(-(u**2 + (gamma * v) ** 2) / (2 * sigma**2) + 2j * np.pi * u / wavelength)


@pytest.mark.parametrize("degrees", [0, 30, 60, 135])
def test_the_impulse_response_is_the_kernels_modulus(degrees: float) -> None:
    """An impulse becomes the Gaussian envelope, long across the wave for a gamma below one, in its own slice only."""
    found = only(impulse((3, 51, 51)), ONE | {"theta_degrees": degrees, "boundary": "zero"})
    np.testing.assert_allclose(found[1], np.abs(kernel(math.radians(degrees))), atol=1e-7)
    np.testing.assert_allclose(found[[0, 2]], 0, atol=1e-12)


@pytest.mark.parametrize(("boundary", "mode"), [("zero", "constant"), ("nearest", "nearest"), ("mirror", "reflect")])
def test_a_slice_is_convolved_with_the_kernel(boundary: str, mode: str) -> None:
    """The transforms give what the sum over the kernel gives, on an image smaller than the kernel."""
    image = noise((2, 19, 24), np.float64, (1, 1, 1))
    taps = kernel(math.radians(60), reach=36)
    expected = [
        np.hypot(*(ndimage.convolve(plane, part, mode=mode) for part in (taps.real, taps.imag)))
        for plane in image.values
    ]
    found = only(image, ONE | {"theta_degrees": 60, "boundary": boundary})
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.max(expected))


@pytest.mark.parametrize("pooling", ["average", "max", "min"])
@pytest.mark.parametrize("step", [45.0, 120.0, 72.0])
def test_directions_are_pooled_all_around(step: float, pooling: str) -> None:
    """Directions from 0 to 360 degrees; those half a turn apart have one modulus and count alike."""
    image = noise((1, 20, 20), np.float64, (1, 1, 1))
    each = [only(image, ONE | {"theta_degrees": n * step}) for n in range(round(360 / step))]
    expected = {"average": np.mean, "max": np.max, "min": np.min}[pooling](each, axis=0)
    found = only(image, ONE | {"theta_step_degrees": step, "pooling": pooling})
    np.testing.assert_allclose(found, expected, atol=1e-7 * np.max(expected))


def test_planes_are_averaged() -> None:
    """The mean over (i, j), (i, k) and (j, k), the first axis of each as the kernel's x."""
    image = noise((17, 18, 19), np.float64, (1, 1, 1))
    expected = []
    for order in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):  # slices, y, x
        values = np.ascontiguousarray(np.transpose(image.values, order))
        response = only(Image(values, Geometry(values.shape, (1, 1, 1))), ONE | {"theta_degrees": 30})
        expected.append(np.transpose(response, np.argsort(order)))
    found = only(image, ONE | {"theta_degrees": 30, "orthogonal_planes": True})
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-9)


def test_all_directions_and_planes_are_invariant_under_turns_of_the_volume() -> None:
    """A volume turned about an axis gives the turned response."""
    image = noise((16, 16, 16), np.float64, (1, 1, 1))
    given = ONE | {"theta_step_degrees": 45, "orthogonal_planes": True}
    turned = Image(np.ascontiguousarray(np.rot90(image.values, axes=(0, 2))), image.geometry)
    np.testing.assert_allclose(only(turned, given), np.rot90(only(image, given), axes=(0, 2)), rtol=1e-9)


def test_a_wave_answers_to_its_own_direction() -> None:
    """A wave along (x, y) = (cos 60, sin 60) degrees passes at 60 degrees, not at minus 60."""
    y, x = np.mgrid[0:64, 0:64]
    wave = np.cos(2 * np.pi / 4 * (x * math.cos(math.pi / 3) + y * math.sin(math.pi / 3)))[None]
    image = Image(wave, Geometry(wave.shape, (1, 1, 1)))
    box = (slice(0, 1), slice(30, 34), slice(30, 34))
    with_it, across = (
        next(response_maps(image, box, parse_filter(ONE | {"theta_degrees": degrees}))) for degrees in (60, -60)
    )
    assert with_it.min() > 100 * across.max()


@pytest.mark.parametrize("given", [{}, {"theta_degrees": 0, "theta_step_degrees": 45}])
def test_one_way_to_say_the_direction(given: dict[str, float]) -> None:
    """Neither and both are errors."""
    with pytest.raises(ValueError, match="either theta_degrees .* or theta_step_degrees"):
        parse_filter(ONE | given)


def test_a_step_divides_the_circle() -> None:
    """Directions must close the circle."""
    with pytest.raises(ValueError, match="theta_step_degrees = 50 does not divide 360"):
        parse_filter(ONE | {"theta_step_degrees": 50})


def test_labels_state_scale_shape_and_directions() -> None:
    """What changes the numbers stands in the label."""
    assert label(ONE | {"theta_degrees": 60}) == "ibsi-gabor-2d-sigma-3mm-lambda-4mm-gamma-0.5-theta-60deg"
    given = ONE | {"theta_step_degrees": 22.5, "orthogonal_planes": True, "pooling": "max"}
    assert label(given) == "ibsi-gabor-planes-sigma-3mm-lambda-4mm-gamma-0.5-step-22.5deg-max"


def test_a_kernel_beyond_any_purpose_is_refused() -> None:
    """A sigma in micrometres is caught before memory runs out."""
    with pytest.raises(CaseError, match="reaches 18000 voxels .* Is sigma_mm in millimetres"):
        only(impulse((1, 9, 9)), ONE | {"sigma_mm": 3000, "gamma": 1, "theta_degrees": 0})


def test_a_voxel_that_is_no_number_is_named() -> None:
    """NaN would spoil the whole slice in silence."""
    image = noise((2, 9, 9), np.float64)
    values = image.values.copy()
    values[0, 0, 0] = np.nan
    with pytest.raises(CaseError, match="NaN or infinite voxels where the filter reads: 1[.]"):
        only(Image(values, image.geometry), ONE | {"theta_degrees": 0, "boundary": "zero"})
