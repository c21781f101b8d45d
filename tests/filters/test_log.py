"""The truncated Laplacian of Gaussian."""

import numpy as np
import pytest
from scipy import ndimage

from filters.making import constant, impulse, label, noise, only
from isthmus.filters import parse_filter
from isthmus.image import Geometry, Image


def kernel(sigma: float, dimensions: int, reach: int) -> np.ndarray:
    """IBSI's formula, sigma in voxels."""
    squared = sum(np.square(axis) for axis in np.mgrid[(slice(-reach, reach + 1),) * dimensions])
    gauss = np.exp(-squared / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma) ** dimensions
    return -gauss * (dimensions / sigma**2 - squared / sigma**4)


@pytest.mark.parametrize("by_slice", [False, True])
def test_the_impulse_response_is_the_kernel(by_slice: bool) -> None:
    """3 mm on voxels of 2 mm: 13 voxels wide, IBSI's values but for what truncation leaves of a constant (2e-4 of the peak)."""
    found = only(impulse((15, 15, 15), (2, 2, 2)), {"name": "log", "sigma_mm": 3, "by_slice": by_slice})
    expected = np.zeros((15, 15, 15))
    expected[7 if by_slice else slice(1, 14), 1:14, 1:14] = kernel(1.5, 2 if by_slice else 3, 6)
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_a_volume_is_convolved_with_the_kernel() -> None:
    """The sum of separable terms equals the dense convolution."""
    image = noise((9, 10, 11), np.float64, (1, 1, 1))
    dense = only(impulse((13, 13, 13)), {"name": "log", "sigma_mm": 1.4})
    expected = ndimage.convolve(image.values, dense, mode="nearest")
    found = only(image, {"name": "log", "sigma_mm": 1.4, "boundary": "nearest"})
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("boundary", ["nearest", "periodic", "mirror"])
def test_a_constant_gives_zero(boundary: str) -> None:
    """No trace of a constant, on voxels that are no cubes."""
    np.testing.assert_allclose(
        only(constant(-1000), {"name": "log", "sigma_mm": 2, "boundary": boundary}), 0, atol=1e-10
    )


def test_anisotropic_voxels_answer_alike_in_all_directions() -> None:
    """A blob that is round in millimetres gives the same response along each axis at the same distance in millimetres."""
    spacing = np.array([2.0, 1.0, 0.5])
    grid = np.meshgrid(*[np.arange(-24, 24 + step / 2, step) for step in spacing], indexing="ij")
    blob = np.exp(-sum(axis**2 for axis in grid) / (2 * 5.0**2))
    found = only(Image(blob, Geometry(blob.shape, tuple(spacing))), {"name": "log", "sigma_mm": 4})
    middle = [size // 2 for size in blob.shape]
    at_six_mm = []
    for axis in range(3):
        place = list(middle)
        place[axis] += round(6 / spacing[axis])
        at_six_mm.append(found[tuple(place)])
    np.testing.assert_allclose(at_six_mm, at_six_mm[0], rtol=2e-3)


@pytest.mark.parametrize("setting", [{"sigma_mm": 0}, {"sigma_mm": 1, "truncation": -1}, {}])
def test_lengths_are_positive(setting: dict[str, float]) -> None:
    """A sigma is needed, and neither it nor the truncation can be zero or less."""
    with pytest.raises(ValueError, match="filter 'log': (sigma_mm|truncation)"):
        parse_filter({"name": "log", **setting})


def test_labels_do_not_clash_with_pyradiomics() -> None:
    """IBSI's LoG is another filter than PyRadiomics' log-sigma-1-5-mm-3D and says so."""
    assert label({"name": "log", "sigma_mm": 1.5}) == "ibsi-log-3d-sigma-1.5mm"
    assert label({"name": "log", "sigma_mm": 3, "truncation": 3}) == "ibsi-log-3d-sigma-3mm-truncation-3"
