"""Each method against a slow twin or against SimpleITK, and what it finds in a lesion whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from isthmus.errors import PlanError
from isthmus.image.io import from_array
from isthmus.segment import Seeds, compare_masks, grow
from isthmus.segment.grow import METHODS
from isthmus.segment.grow.growcut import _reached
from isthmus.segment.grow.piece import ball
from isthmus.segment.grow.snakes import _Smoother
from isthmus.segment.grow.threshold import otsu
from oracle import grow as twin

SPACING = (3.0, 1.0, 1.0)
_K, _J, _I = np.indices((18, 44, 48))
TRUTH = ((_K - 9) * 3 / 13) ** 2 + ((_J - 22) / 12) ** 2 + ((_I - 24) / 9) ** 2 <= 1
CLICKS = Seeds.at_voxels([(9, 22, 24)], [(9, 4, 4), (1, 22, 24)])


def lesion(noise: float = 15.0, seed: int = 0) -> Any:
    values = TRUTH * 60 + np.random.default_rng(seed).normal(0, noise, TRUTH.shape)
    return from_array(values.astype(np.float32), SPACING)


def noisy(seed: int, shape: tuple[int, int, int] = (6, 9, 8)) -> np.ndarray:
    from scipy import ndimage

    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1)


@pytest.mark.parametrize(
    ("method", "least"),
    [
        ("threshold", 0.95),
        ("region", 0.85),
        ("confidence", 0.85),
        ("chan_vese", 0.94),
        ("geodesic", 0.9),
        ("growcut", 0.95),
    ],
)
def test_a_lesion_is_found_from_one_click(method: str, least: float) -> None:
    """With one click inside and two outside, in noise a quarter as strong as the contrast."""
    found = grow(lesion(), CLICKS, method=method, denoise_mm=1.0)
    assert compare_masks(TRUTH, found, SPACING).dice > least


def test_every_method_is_tested() -> None:
    """The list above is the registry."""
    assert set(METHODS) == {"threshold", "region", "confidence", "chan_vese", "geodesic", "growcut"}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_single_slice_is_fine(method: str) -> None:
    """A picture has no neighbours along k."""
    image = from_array(lesion().values[9:10], (1.0, 1.0, 1.0))
    found = grow(image, Seeds.at_voxels([(0, 22, 24)], [(0, 4, 4)]), method=method, denoise_mm=1.0)
    assert compare_masks(TRUTH[9:10], found, (1.0, 1.0, 1.0)).dice > 0.85


@pytest.mark.parametrize("seed", range(4))
def test_growcut_ends_where_the_automaton_does(seed: int) -> None:
    """Shortest paths give each voxel to the label that the cellular automaton leaves stronger."""
    values = noisy(seed)
    inside, outside = np.zeros(values.shape, bool), np.zeros(values.shape, bool)
    inside[2, 3, 4] = outside[0, 0, 0] = outside[5, 8, 1] = True
    without, within = twin.growcut(values, inside, outside)
    clear = np.abs(within - without) > 1e-7
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(_reached(values, inside, outside)[clear], (within > without)[clear])


@pytest.mark.parametrize("seed", range(3))
def test_otsu_is_simpleitks(seed: int) -> None:
    """The same two classes, but for what lies in one bin of 256, which each side places a little differently."""
    draw = np.random.default_rng(seed)
    values = np.concatenate([draw.normal(0, 5, 3000), draw.normal(40, 8, 1500)]).reshape(10, 15, 30)
    threshold = sitk.OtsuThresholdImageFilter()
    threshold.SetNumberOfHistogramBins(256)
    threshold.Execute(sitk.GetImageFromArray(values))
    assert np.mean((values > otsu(values)) != (values > threshold.GetThreshold())) < 1 / 256


@pytest.mark.parametrize("seed", range(3))
def test_connected_threshold_is_simpleitks(seed: int) -> None:
    """Face neighbours of the click within the range."""
    values = noisy(seed, (10, 20, 18)).astype(np.float32)
    at = tuple(int(n) for n in np.unravel_index(values.argmax(), values.shape))
    low = float(np.quantile(values, 0.5))
    expected = sitk.ConnectedThreshold(sitk.GetImageFromArray(values), [at[::-1]], low, 1e9)
    image, settings = from_array(values, (1, 1, 1)), {"rule": "fixed", "lower": low, "fill_holes": False}
    found = grow(image, Seeds.at_voxels([at]), method="threshold", **settings)
    np.testing.assert_array_equal(found, sitk.GetArrayFromImage(expected) > 0)
    np.testing.assert_array_equal(found, twin.flooded(values >= low, at))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("iterations", [0, 3])
def test_confidence_connected_is_simpleitks(seed: int, iterations: int) -> None:
    """Voxel for voxel."""
    values = noisy(seed, (10, 20, 18)) * 100
    at = (5, 10, 9)
    expected = sitk.ConfidenceConnected(
        sitk.GetImageFromArray(values), [at[::-1]], numberOfIterations=iterations, multiplier=2.0, initialNeighborhoodRadius=1
    )  # fmt: skip
    found = grow(
        from_array(values, (1, 1, 1)), Seeds.at_voxels([at]), method="confidence", multiplier=2.0, iterations=iterations,
        fill_holes=False,
    )  # fmt: skip
    np.testing.assert_array_equal(found, sitk.GetArrayFromImage(expected) > 0)


def test_the_curvature_operator_is_its_definition() -> None:
    """Sup of infs over the nine planes, and inf of sups as its mirror image."""
    mask = noisy(5) > 0
    smoother = _Smoother(mask.shape)
    np.testing.assert_array_equal(smoother._opened(mask), twin.opened(mask))
    np.testing.assert_array_equal(smoother._closed(mask), ~twin.opened(~mask))


def test_smoothing_keeps_a_plane_and_takes_a_speck() -> None:
    """A half space has no curvature; a single voxel has nothing else."""
    half = np.indices((7, 7, 7))[0] < 4
    smoother = _Smoother(half.shape)
    np.testing.assert_array_equal(smoother(half), half)
    speck = np.zeros((7, 7, 7), bool)
    speck[3, 3, 3] = True
    assert not smoother(smoother(speck)).any()


def test_share_of_the_maximum() -> None:
    """41 % of the largest value near the click, as of PET."""
    values = np.zeros((5, 20, 20), np.float32)
    values[1:4, 5:15, 5:15] = 4.0
    values[2, 9:12, 9:12] = 10.0
    image, at = from_array(values, (1, 1, 1)), Seeds.at_voxels([(2, 10, 10)])
    found = grow(image, at, method="threshold", rule="share", share=0.41)
    np.testing.assert_array_equal(found, values >= 4.1)
    np.testing.assert_array_equal(grow(image, at, method="threshold", rule="share", share=0.4), values >= 4.0)


def test_percentiles_near_the_click() -> None:
    """What lies far from the click does not move the range."""
    values = np.tile(np.arange(40.0, dtype=np.float32), (3, 40, 1))
    found = grow(
        from_array(values, (1, 1, 1)), Seeds.at_voxels([(1, 20, 10)]), method="threshold", rule="percentile",
        percentiles=(0.0, 100.0), radius_mm=3.0,
    )  # fmt: skip
    np.testing.assert_array_equal(found, (values >= 7) & (values <= 13))


def test_values_within_a_distance_of_the_click() -> None:
    """`within` is in the image's own numbers, around the mean of the clicks."""
    values = np.tile(np.arange(40.0, dtype=np.float32), (3, 40, 1))
    found = grow(from_array(values, (1, 1, 1)), Seeds.at_voxels([(1, 20, 10)]), method="region", within=2.5)
    np.testing.assert_array_equal(found, (values >= 8) & (values <= 12))


def test_a_click_outside_the_range_is_told() -> None:
    """With the range and the value at the click."""
    with pytest.raises(PlanError, match="no click lies in the range 1000 to inf"):
        grow(lesion(), CLICKS, method="threshold", rule="fixed", lower=1000.0)


def test_balls_are_in_millimetres() -> None:
    """Of anisotropic voxels, cut at the border."""
    found = ball((5, 9, 9), np.array([[2, 4, 0]]), 3.0, SPACING)
    offsets = (np.indices((5, 9, 9)) - np.array([2, 4, 0])[:, None, None, None]) * np.array(SPACING)[
        :, None, None, None
    ]
    np.testing.assert_array_equal(found, (offsets**2).sum(0) <= 9)
