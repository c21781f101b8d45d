"""Negative controls and simulated shift: what they change, and what they leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import CaseError
from isthmus.image import Geometry, Image
from isthmus.roi import Roi
from isthmus.roi.disturb import Disturbance, disturb
from isthmus.roi.perturb import noise_level

SPACING = (2.0, 1.0, 1.0)
ALL = [
    Disturbance("shuffle"),
    Disturbance("noise", 1.0),
    Disturbance("smooth", 0.8),
    Disturbance("sharpen", 0.8),
    Disturbance("thickness", 5.0),
]


@pytest.fixture
def case() -> tuple[Image, Roi]:
    """A bright ellipsoid with texture in a noisy background."""
    shape = (20, 60, 60)
    k, j, i = (np.indices(shape) - np.array(shape)[:, None, None, None] // 2) * np.array(SPACING)[:, None, None, None]
    mask = k**2 + j**2 + i**2 < 100
    values = np.where(mask, 80.0, 20.0) + np.random.default_rng(2).normal(0, 8, shape)
    return Image(np.rint(values).astype(np.int16), Geometry(shape, SPACING), quantity="HU"), Roi(
        mask, Geometry(shape, SPACING)
    )


@pytest.mark.parametrize("how", ALL, ids=lambda how: how.kind)
def test_the_lesion_is_the_same(case, how):
    """No disturbance moves a voxel of the mask."""
    image, roi = case
    _, changed = disturb(image, roi, how)
    assert changed.n_voxels == roi.n_voxels


@pytest.mark.parametrize("how", ALL, ids=lambda how: how.kind)
def test_the_same_lesion_gets_the_same_draw(case, how):
    """Twice the same, whatever came between."""
    image, roi = case
    assert np.array_equal(disturb(image, roi, how)[0].values, disturb(image, roi, how)[0].values)


@pytest.mark.parametrize("how", ALL, ids=lambda how: how.kind)
def test_whole_numbers_stay_whole(case, how):
    """CT stays int16."""
    assert disturb(*case, how)[0].values.dtype == np.int16


def test_shuffling_keeps_the_histogram_of_the_lesion(case):
    """The sorted values inside the lesion are the same."""
    image, roi = case
    changed, region = disturb(image, roi, Disturbance("shuffle"))
    assert np.array_equal(np.sort(changed.values[region.mask]), np.sort(image.values[roi.mask]))


def test_shuffling_takes_the_order_away(case):
    """Most voxels of the lesion have another value."""
    image, roi = case
    changed, region = disturb(image, roi, Disturbance("shuffle"))
    assert (changed.values[region.mask] != image.values[roi.mask]).mean() > 0.8


def test_shuffling_leaves_the_surroundings_alone(case):
    """Outside the lesion nothing changes."""
    image, roi = case
    changed, region = disturb(image, roi, Disturbance("shuffle"), margin_mm=1000.0)
    assert np.array_equal(changed.values[~region.mask], image.values[~roi.mask])


def test_another_seed_gives_another_shuffle(case):
    """The seed decides the draw."""
    image, roi = case
    one, other = (disturb(image, roi, Disturbance("shuffle", seed=s))[0].values for s in (1, 2))
    assert not np.array_equal(one, other)


def test_noise_of_the_images_own_level_doubles_the_variance(case):
    """Adding as much again makes the noise larger by the square root of two."""
    image, roi = case
    changed, _ = disturb(image, roi, Disturbance("noise", 1.0), margin_mm=1000.0)
    ratio = noise_level(changed.values.astype(float)) / noise_level(image.values.astype(float))
    assert ratio == pytest.approx(np.sqrt(2), rel=0.05)


def test_smoothing_and_sharpening_move_the_noise_apart(case):
    """A soft kernel has less noise than the image, a hard one more."""
    image, roi = case
    soft, hard = (
        noise_level(disturb(image, roi, Disturbance(kind, 0.8))[0].values.astype(float))
        for kind in ("smooth", "sharpen")
    )
    assert soft < noise_level(image.values.astype(float)) < hard


def test_thick_slices_keep_a_linear_ramp(case):
    """Averaging and reading back linearly changes no straight line, away from the ends."""
    _, roi = case
    ramp = np.broadcast_to(np.arange(20.0)[:, None, None], (20, 60, 60)).copy()
    changed, _ = disturb(
        Image(ramp, Geometry(ramp.shape, SPACING)), roi, Disturbance("thickness", 4.0), margin_mm=1000.0
    )
    np.testing.assert_allclose(changed.values[2:-2], ramp[2:-2], atol=1e-12)


def test_thick_slices_blur_a_step(case):
    """A border between two slices is spread over the new thickness."""
    _, roi = case
    step = np.zeros((20, 60, 60))
    step[9:] = 100.0
    changed, _ = disturb(
        Image(step, Geometry(step.shape, SPACING)), roi, Disturbance("thickness", 6.0), margin_mm=1000.0
    )
    assert 5 < changed.values[8, 30, 30] < changed.values[9, 30, 30] < 95


def test_slices_cannot_become_thinner(case):
    """Two-millimetre slices hold no one-millimetre ones."""
    with pytest.raises(CaseError, match="2 mm cannot be made 1 mm thin"):
        disturb(*case, Disturbance("thickness", 1.0))
