"""Perturbations: repeatable, of the size asked for, and named."""

import numpy as np
import pytest
from scipy import ndimage

from isthmus.image import Geometry, Image
from isthmus.roi import Roi
from isthmus.roi.perturb import Perturbation, PerturbSettings, noise_level, perturb, perturbations

SPACING = (3.0, 1.0, 1.0)


@pytest.fixture
def case():
    """A ball of radius 12 mm in a noisy background."""
    shape = (24, 70, 70)
    k, j, i = (np.indices(shape) - np.array(shape)[:, None, None, None] // 2) * np.array(SPACING)[:, None, None, None]
    mask = k**2 + j**2 + (i / 1.3) ** 2 < 144
    values = np.where(mask, 80.0, 20.0) + np.random.default_rng(2).normal(0, 6, shape)
    geometry = Geometry(shape, SPACING)
    return Image(np.rint(values).astype(np.int16), geometry, quantity="HU"), Roi(mask, geometry)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def on_grid(roi, like):
    """A perturbed mask back on the grid of the original."""
    mask = np.zeros(like.mask.shape, dtype=bool)
    at = np.rint(np.linalg.solve(like.geometry.affine, roi.geometry.affine[:, 3])[:3]).astype(int)
    mask[tuple(slice(a, a + n) for a, n in zip(at, roi.mask.shape, strict=True))] = roi.mask
    return mask


def test_no_perturbation_only_cuts(case):
    """Without a change the lesion's voxels keep their values, on the same place in the patient."""
    image, roi = case
    new_image, new_roi = perturb(image, roi, Perturbation(1))
    assert (np.sort(new_image.values[new_roi.mask]) == np.sort(image.values[roi.mask])).all()
    assert (on_grid(new_roi, roi) == roi.mask).all()


@pytest.mark.parametrize("change", [-0.2, -0.05, 0.1, 0.3])
def test_the_volume_is_what_was_asked_for(case, change):
    """The voxel count changes by the part asked for, to the voxel."""
    image, roi = case
    found = perturb(image, roi, Perturbation(1, volume=change))[1].n_voxels
    assert found == round(roi.n_voxels * (1 + change))


def test_a_rotation_turns_about_the_lesion(case):
    """Turned by 90 degrees the long axis lies along the other, and the centre stays."""
    image, roi = case
    turned = perturb(image, roi, Perturbation(1, rotation_deg=90.0))[1]
    extent = np.ptp(np.argwhere(turned.mask), axis=0)
    assert extent[1] > 1.2 * extent[2]
    drift = np.argwhere(on_grid(turned, roi)).mean(0) - np.argwhere(roi.mask).mean(0)
    assert (np.abs(drift) < 0.6).all()


def test_small_changes_leave_most_of_the_lesion(case):
    """A few degrees and a quarter of a voxel keep a Dice above 0.9."""
    image, roi = case
    moved = perturb(image, roi, Perturbation(1, rotation_deg=4.0, translation=0.25))[1]
    assert 0.9 < dice(on_grid(moved, roi), roi.mask) < 1.0


def test_noise_has_the_level_of_the_image(case):
    """The noise found is that put in, and adding it makes the variance larger by itself."""
    image, roi = case
    assert noise_level(image.values) == pytest.approx(6, rel=0.1)
    noisy = perturb(image, roi, Perturbation(1, noise=True))
    assert noisy[0].values[noisy[1].mask].std() == pytest.approx(6 * np.sqrt(2), rel=0.12)


def test_contours_differ_between_draws_and_agree_with_the_lesion(case):
    """Redrawn outlines are different each time and keep a Dice above 0.8."""
    image, roi = case
    blurred = Image(ndimage.gaussian_filter(image.values.astype(np.float64), (0.7, 2, 2)), image.geometry)
    masks = [on_grid(perturb(blurred, roi, Perturbation(n, contour=True))[1], roi) for n in (1, 2)]
    assert (masks[0] != masks[1]).any()
    assert min(dice(mask, roi.mask) for mask in masks) > 0.8


def test_the_same_number_gives_the_same_bits(case):
    """A perturbation depends on its seed and number, not on what was drawn before."""
    image, roi = case
    how = Perturbation(7, rotation_deg=3.0, volume=0.1, noise=True, contour=True)
    first = perturb(image, roi, how)
    perturb(image, roi, Perturbation(8, noise=True))
    second = perturb(image, roi, how)
    assert first[0].values.tobytes() == second[0].values.tobytes()
    assert (first[1].mask == second[1].mask).all()


def test_every_combination_is_made_once():
    """Lists multiply, repeats draw anew, and each has a name and a number."""
    made = list(perturbations(PerturbSettings(rotations_deg=(-4, 4), volumes=(0, 0.1), noise=True, repeats=2)))
    assert len({how.number for how in made}) == 8
    assert made[1].name == "rotation -4, volume +0.1, noise"


def test_whole_numbers_stay_whole(case):
    """An int16 image stays int16 after interpolation and noise."""
    image, roi = case
    assert perturb(image, roi, Perturbation(1, rotation_deg=5.0, noise=True))[0].values.dtype == np.int16
