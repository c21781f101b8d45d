"""Supervoxels: connected, inside the mask, of the size asked for, and blind to what lies outside."""

import numpy as np
import pytest
from scipy import ndimage

from isthmus.roi.supervoxels import supervoxels

SPACING = (3.0, 1.0, 1.0)


@pytest.fixture
def lesion():
    """An anisotropic ball with two tissues in it."""
    draw = np.random.default_rng(5)
    k, j, i = (np.indices((14, 40, 40)) - np.array([7, 20, 20])[:, None, None, None]) * np.array(SPACING)[
        :, None, None, None
    ]
    mask = k**2 + j**2 + i**2 < 17**2
    values = np.where(i < 0, 30.0, 90.0) + draw.normal(0, 5, mask.shape)
    return values, mask


def test_labels_cover_the_mask_and_nothing_else(lesion):
    """Every voxel of the mask has a label and no other voxel does; labels are 1 to n."""
    values, mask = lesion
    labels = supervoxels(values, mask, SPACING)
    assert ((labels > 0) == mask).all()
    assert (np.unique(labels[mask]) == np.arange(1, labels.max() + 1)).all()


def test_every_piece_hangs_together(lesion):
    """Each label is one piece that touches by faces."""
    values, mask = lesion
    labels = supervoxels(values, mask, SPACING, compactness=0.1)
    assert all(ndimage.label(labels == n)[1] == 1 for n in range(1, labels.max() + 1))


@pytest.mark.parametrize("volume", [60.0, 125.0, 400.0])
def test_pieces_have_the_volume_asked_for(lesion, volume):
    """The mean volume is that asked for within a third (pieces at the edge are cut)."""
    values, mask = lesion
    labels = supervoxels(values, mask, SPACING, volume_mm3=volume)
    assert mask.sum() * 3.0 / labels.max() == pytest.approx(volume, rel=0.34)


def test_the_outside_is_never_read(lesion):
    """Air or bone beside the lesion changes nothing."""
    values, mask = lesion
    other = np.where(mask, values, -1000.0)
    assert (supervoxels(values, mask, SPACING) == supervoxels(other, mask, SPACING)).all()


def test_pieces_follow_an_edge(lesion):
    """With little weight on shape hardly a piece holds both tissues."""
    values, mask = lesion
    labels = supervoxels(values, mask, SPACING, compactness=0.2)
    bright = np.bincount(labels[mask], weights=(values > 60)[mask])[1:] / np.bincount(labels[mask])[1:]
    assert ((bright < 0.1) | (bright > 0.9)).mean() > 0.95


def test_compactness_makes_cubes(lesion):
    """With much weight on shape the intensities hardly matter: two tissues give nearly the pieces of one."""
    values, mask = lesion
    flat = supervoxels(np.zeros(mask.shape), mask, SPACING, compactness=1.0)
    compact = supervoxels(values, mask, SPACING, compactness=100.0)
    assert flat.max() == compact.max()


def test_spacing_counts_in_millimetres(lesion):
    """The pieces are as thick as wide in mm, not in voxels."""
    values, mask = lesion
    labels = supervoxels(values, mask, SPACING, volume_mm3=216.0, compactness=50.0)
    sizes = np.array([[s.stop - s.start for s in box] for box in ndimage.find_objects(labels)]) * SPACING
    assert 0.6 < np.median(sizes[:, 0]) / np.median(sizes[:, 1:]) < 1.6


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 30), (5, 1, 1)])
def test_small_and_flat_masks(shape):
    """One voxel, one slice and a line have pieces too."""
    labels = supervoxels(np.zeros(shape), np.ones(shape, dtype=bool), (2.0, 1.0, 1.0), volume_mm3=20.0)
    assert labels.min() == 1


def test_islands_get_labels_of_their_own():
    """Two separate parts of a mask never share a label."""
    mask = np.zeros((4, 12, 12), dtype=bool)
    mask[:, :2, :2] = mask[:, 10:, 10:] = True
    labels = supervoxels(np.zeros(mask.shape), mask, (1.0, 1.0, 1.0), volume_mm3=1e6)
    assert not set(labels[:, :2, :2].ravel()) & set(labels[:, 10:, 10:].ravel())


def test_settings_must_be_positive(lesion):
    """A size of nothing is refused."""
    with pytest.raises(ValueError, match="volume_mm3 = 0"):
        supervoxels(*lesion, SPACING, volume_mm3=0)


@pytest.mark.parametrize("method", ["kmeans", "growing"])
def test_the_alternatives_cut_the_same_lesion(lesion, method):
    """Other partitions of the same voxels, each label one piece by faces."""
    values, mask = lesion
    labels = supervoxels(values, mask, SPACING, method=method)
    parts = {ndimage.label(labels == label)[1] for label in range(1, labels.max() + 1)}
    assert (((labels > 0) == mask).all(), parts) == (True, {1})


def test_growing_reaches_parts_without_a_seed():
    """An island far smaller than a lattice cell is a label of its own."""
    mask = np.zeros((6, 30, 30), dtype=bool)
    mask[:, :20, :20] = True
    mask[0, 29, 29] = True
    labels = supervoxels(np.zeros(mask.shape), mask, (1.0, 1.0, 1.0), volume_mm3=400.0, method="growing")
    assert (labels == labels[0, 29, 29]).sum() == 1


@pytest.mark.parametrize("method", ["slic", "kmeans", "growing"])
def test_small_pieces_join_a_neighbour(lesion, method):
    """least_voxels: none smaller is left, and no voxel is lost."""
    values, mask = lesion
    labels = supervoxels(values, mask, SPACING, compactness=0.1, method=method, least_voxels=30)
    assert ((labels > 0).sum(), np.bincount(labels[mask])[1:].min() >= 30) == (mask.sum(), True)


def test_an_unknown_method_is_named(lesion):
    """With the nearest known one."""
    with pytest.raises(ValueError, match="Did you mean 'growing'"):
        supervoxels(*lesion, SPACING, method="grow")
