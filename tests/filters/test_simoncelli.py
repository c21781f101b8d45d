"""Simoncelli's non-separable wavelet."""

import numpy as np
import pytest

from filters.making import constant, impulse, label, noise, only
from isthmus.filters import parse_filter
from isthmus.image import Geometry, Image


def band(radius: float, level: int) -> float:
    """IBSI's B map; the radius in radians per voxel."""
    scaled = radius * 2 ** (level - 1)
    return float(np.cos(np.pi / 2 * np.log2(2 * scaled / np.pi))) if np.pi / 4 < scaled <= np.pi else 0.0


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("waves", [(0, 0, 5), (0, 3, 4), (2, 6, 1), (0, 0, 12), (9, 9, 9)])
def test_waves_pass_by_their_length_alone(waves: tuple[int, int, int], level: int) -> None:
    """A wave with m periods in n voxels (odd) stands at 2 pi m / (n - 1) on IBSI's grid and is multiplied by B there."""
    size = 25
    places = np.arange(size) * 2 * np.pi / size
    phase = sum(m * axis for m, axis in zip(waves, np.meshgrid(places, places, places, indexing="ij"), strict=True))
    found = only(Image(np.cos(phase), Geometry((size,) * 3, (1, 1, 1))), {"name": "simoncelli", "level": level})
    gain = band(2 * np.pi / (size - 1) * np.linalg.norm(waves), level)
    np.testing.assert_allclose(found, gain * np.cos(phase), atol=1e-12)


def test_the_impulse_response_is_the_transfer_function() -> None:
    """The transform of an impulse's response, on an odd grid, is B itself."""
    size = 15
    found = only(impulse((size,) * 3), {"name": "simoncelli", "level": 1})
    grid = np.fft.ifftshift(np.linspace(-np.pi, np.pi, size))
    radius = np.sqrt(sum(axis**2 for axis in np.meshgrid(grid, grid, grid, indexing="ij")))
    expected = np.vectorize(band)(radius, 1)
    np.testing.assert_allclose(np.fft.fftn(np.roll(found, [-(size // 2)] * 3, (0, 1, 2))), expected, atol=1e-12)


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "mirror"])
@pytest.mark.parametrize("level", [1, 3, 6])
def test_a_constant_gives_zero(level: int, boundary: str) -> None:
    """On small images too, where IBSI's grid of an even axis has no frequency zero."""
    given = {"name": "simoncelli", "level": level, "boundary": boundary}
    np.testing.assert_allclose(only(constant(-1000, (6, 8, 8)), given), 0, atol=1e-9)


def test_invariance_holds_under_quarter_turns() -> None:
    """A turned volume gives the turned response (odd axes: IBSI's grid is symmetric)."""
    image = noise((11, 11, 11), np.float64, (1, 1, 1))
    turned = Image(np.ascontiguousarray(np.rot90(image.values, axes=(0, 2))), image.geometry)
    given = {"name": "simoncelli", "level": 2}
    np.testing.assert_allclose(only(turned, given), np.rot90(only(image, given), axes=(0, 2)), atol=1e-9)


def test_by_slice_each_slice_stands_alone() -> None:
    """Other slices change nothing."""
    image = noise((4, 16, 17), np.float64, (1, 1, 1))
    alone = Image(image.values[2:3], Geometry((1, 16, 17), (1, 1, 1)))
    given = {"name": "simoncelli", "by_slice": True}
    np.testing.assert_allclose(only(image, given)[2:3], only(alone, given), atol=1e-10)


def test_levels_start_at_one() -> None:
    """There is no level 0."""
    with pytest.raises(ValueError, match="filter 'simoncelli': level = 0"):
        parse_filter({"name": "simoncelli", "level": 0})


def test_labels_state_the_level() -> None:
    """Periodic is the usual boundary here: the filter is defined on the spectrum."""
    assert label({"name": "simoncelli", "level": 2}) == "ibsi-simoncelli-3d-level-2"
    assert label({"name": "simoncelli", "by_slice": True, "boundary": "mirror"}) == "ibsi-simoncelli-2d-level-1-mirror"
