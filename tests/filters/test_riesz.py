"""Riesz transforms of the Laplacian of Gaussian and of Simoncelli's wavelet."""

from itertools import product

import numpy as np
import pytest

from filters.making import constant, label, noise, only
from isthmus.filters import parse_filter
from isthmus.image import Geometry, Image

BANDS = {
    "log": {"name": "log", "sigma_mm": 2, "boundary": "periodic"},
    "simoncelli": {"name": "simoncelli", "level": 1, "boundary": "periodic"},
}
SECOND = [order for order in product(range(3), repeat=3) if sum(order) == 2]


def riesz(band: str, order: tuple[int, ...], **more: object) -> dict[str, object]:
    return BANDS[band] | {"name": f"riesz_{band}", "order": order, **more}


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_first_order_turns_waves_by_a_quarter(band: str, axis: int) -> None:
    """A cosine along one axis becomes the band-pass filter's response to the sine; along the other axes, nothing."""
    size = 21
    phase = np.moveaxis(np.broadcast_to(np.arange(size) * 2 * np.pi * 4 / size, (size,) * 3), 2, axis)
    cosine, sine = (Image(f(phase), Geometry((size,) * 3, (1, 1, 1))) for f in (np.cos, np.sin))
    for other in range(3):
        found = only(cosine, riesz(band, tuple(int(a == other) for a in range(3))))
        expected = only(sine, BANDS[band]) if other == axis else np.zeros((size,) * 3)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("tensor", [None, 2.0])
@pytest.mark.parametrize("band", BANDS)
def test_second_orders_along_the_axes_sum_to_the_band(band: str, tensor: float | None) -> None:
    """The squares of a direction's cosines sum to one, along the image's axes and along the structure tensor's."""
    image = noise((9, 11, 13), np.float64, (1, 1, 1))
    orders = [(2, 0, 0), (0, 2, 0), (0, 0, 2)]
    found = sum(only(image, riesz(band, order, tensor_sigma_mm=tensor)) for order in orders)
    whole = only(image, BANDS[band])
    np.testing.assert_allclose(found, -whole, atol=1e-9 * np.abs(whole).max())


@pytest.mark.parametrize("band", BANDS)
def test_turning_keeps_the_energy_at_every_voxel(band: str) -> None:
    """All transforms of one order, turned to the structure tensor's directions, have the same sum of squares."""
    image = noise((8, 9, 10), np.float64, (1, 1, 1))
    straight, turned = (
        sum(only(image, riesz(band, order, tensor_sigma_mm=tensor)) ** 2 for order in SECOND) for tensor in (None, 1.5)
    )
    np.testing.assert_allclose(turned, straight, rtol=1e-9)


def test_turned_filters_follow_the_image() -> None:
    """A volume turned about an axis gives the turned response, of an odd order too."""
    image = noise((11, 11, 11), np.float64, (1, 1, 1))
    turned = Image(np.ascontiguousarray(np.rot90(image.values, axes=(0, 2))), image.geometry)
    for order in ((0, 0, 1), (0, 2, 1)):
        given = riesz("simoncelli", order, tensor_sigma_mm=2.0)
        np.testing.assert_allclose(only(turned, given), np.rot90(only(image, given), axes=(0, 2)), atol=1e-8)


def test_the_strongest_direction_is_the_last() -> None:
    """Stripes across i: turned or not, the response along i is the whole, along the weakest direction there is none."""
    values = np.broadcast_to(np.random.default_rng(1).normal(size=33), (5, 9, 33)).copy()
    image = Image(values, Geometry(values.shape, (1, 1, 1)))
    along = only(image, riesz("log", (0, 0, 2), tensor_sigma_mm=1.0))
    np.testing.assert_allclose(along, only(image, riesz("log", (0, 0, 2))), atol=1e-12)
    np.testing.assert_allclose(only(image, riesz("log", (2, 0, 0), tensor_sigma_mm=1.0)), 0, atol=1e-12)


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "mirror"])
@pytest.mark.parametrize("band", BANDS)
def test_a_constant_gives_zero(band: str, boundary: str) -> None:
    """Turned or not."""
    for tensor in (None, 1.0):
        given = riesz(band, (0, 1, 1), boundary=boundary, tensor_sigma_mm=tensor)
        np.testing.assert_allclose(only(constant(-1000), given), 0, atol=1e-9)


@pytest.mark.parametrize("order", [(0, 0), (0, 0, 0), (0, 0, -1), (1, 0, 0, 0)])
def test_one_number_per_axis_is_asked_for(order: tuple[int, ...]) -> None:
    """Too few, too many, negative numbers and the order zero are errors that show the axes."""
    with pytest.raises(ValueError, match=r"order = .*one number >= 0 per axis \(k, j, i\), such as \[0, 0, 1\]"):
        parse_filter(riesz("log", order))


def test_labels_state_order_and_steering() -> None:
    """The order as it was given, axes (k, j, i)."""
    assert label(riesz("log", (0, 0, 1), boundary="mirror")) == "ibsi-riesz-log-3d-sigma-2mm-order-0-0-1"
    given = riesz("simoncelli", (2, 0), by_slice=True, tensor_sigma_mm=1.5)
    assert label(given) == "ibsi-riesz-simoncelli-2d-level-1-order-2-0-aligned-1.5mm"
