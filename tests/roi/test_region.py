"""Regions made of a lesion: margins and rings in mm."""

import numpy as np
import pytest

from isthmus.errors import MaskError
from isthmus.image import Geometry
from isthmus.roi import Roi
from isthmus.roi.region import grown, ring, signed_distance

SPACING = (2.0, 1.0, 1.0)


def ball(radius: float, shape=(21, 41, 41)) -> Roi:
    k, j, i = (np.indices(shape) - np.array(shape)[:, None, None, None] // 2) * np.array(SPACING)[:, None, None, None]
    return Roi(k**2 + j**2 + i**2 <= radius**2, Geometry(shape, SPACING), "tumour")


def test_a_grown_ball_is_a_larger_ball():
    """Growing by 5 mm gives nearly the ball of 5 mm more radius, whatever the spacing."""
    larger = grown(ball(8), 5.0)
    overlap = (larger.mask & ball(13).mask).sum() * 2 / (larger.n_voxels + ball(13).n_voxels)
    assert overlap > 0.94


def test_a_shrunk_ball_is_a_smaller_ball():
    """Shrinking by 4 mm gives nearly the ball of 4 mm less radius."""
    smaller = grown(ball(12), -4.0)
    overlap = (smaller.mask & ball(8).mask).sum() * 2 / (smaller.n_voxels + ball(8).n_voxels)
    assert overlap > 0.93


def test_a_ring_holds_the_distances_asked_for():
    """Every voxel of the ring lies between the two distances from the lesion, and every such voxel is in it."""
    roi = ball(7)
    found = ring(roi, 2.0, 5.0)
    coordinates = np.argwhere(np.ones(roi.mask.shape)) * SPACING
    lesion = np.argwhere(roi.mask) * SPACING
    nearest = np.array([np.sqrt(((lesion - p) ** 2).sum(1)).min() for p in coordinates]).reshape(roi.mask.shape)
    assert (found.mask == ((nearest > 2.0) & (nearest <= 5.0))).all()


def test_rings_tile_the_surroundings():
    """Rings that follow one another share no voxel and leave none out."""
    roi = ball(7)
    first, second, both = ring(roi, 0, 3), ring(roi, 3, 6), ring(roi, 0, 6)
    assert not (first.mask & second.mask).any()
    assert ((first.mask | second.mask) == both.mask).all()


def test_a_ring_starts_at_the_edge():
    """A ring from 0 touches the lesion and holds none of it."""
    roi = ball(7)
    found = ring(roi, 0, 3)
    assert not (found.mask & roi.mask).any()
    assert (found.mask | roi.mask).sum() == grown(roi, 3.0).n_voxels


def test_a_negative_inner_distance_takes_the_rim():
    """From -2 mm on, the outermost layer of the lesion belongs to the ring."""
    roi = ball(9)
    rim = ring(roi, -2, 2).mask & roi.mask
    assert (rim == (roi.mask & ~grown(roi, -2.0).mask)).all()


def test_a_ring_is_clipped_to_the_organ_and_says_so():
    """Tissue outside the organ is left out, and the note says how much."""
    roi = ball(7)
    organ = np.zeros(roi.mask.shape, dtype=bool)
    organ[:, :, 20:] = True
    found = ring(roi, 0, 4, within=organ)
    assert not (found.mask & ~organ).any()
    assert any("lies outside the organ" in note for note in found.notes)


def test_a_ring_at_the_edge_of_the_image_says_so():
    """What lies beyond the image cannot be measured."""
    assert any("reaches the edge of the image" in note for note in ring(ball(12), 0, 9).notes)


def test_nothing_left_is_an_error():
    """A margin larger than the lesion, and a ring outside its organ, are refused with what to do."""
    with pytest.raises(MaskError, match="use a smaller margin"):
        grown(ball(3), -10.0)
    with pytest.raises(MaskError, match="inside the organ.*Take a wider ring"):
        ring(ball(3), 0, 2, within=np.zeros((21, 41, 41), dtype=bool))


def test_a_lesion_that_fills_the_image_has_an_inside():
    """The image's border counts as the lesion's edge for distances inside."""
    distance = signed_distance(np.ones((3, 3, 3), dtype=bool), (1.0, 1.0, 1.0), 0.0)
    assert distance.ravel().tolist() == [-1.0] * 13 + [-2.0] + [-1.0] * 13


def test_a_lesion_grown_inside_an_organ_keeps_itself():
    """Voxels of 5 x 0.5 x 0.5 mm: the lesion's own voxels stay, also outside the organ; what is added lies within 3 mm and inside it."""
    shape, spacing = (7, 41, 41), (5.0, 0.5, 0.5)
    k, j, i = (np.indices(shape) - np.array(shape)[:, None, None, None] // 2) * np.array(spacing)[:, None, None, None]
    roi = Roi(k**2 + j**2 + i**2 <= 6**2, Geometry(shape, spacing))
    organ = i < 2
    larger = grown(roi, 3, within=organ).mask
    added = np.argwhere(larger & ~roi.mask)
    lesion = np.argwhere(roi.mask) * spacing
    away = [np.sqrt(((lesion - voxel * spacing) ** 2).sum(axis=1)).min() for voxel in added]
    assert (roi.mask & ~organ).any()
    assert (larger == (roi.mask | ring(roi, 0, 3, within=organ).mask)).all()
    assert (larger[roi.mask].all(), organ[tuple(added.T)].all(), max(away) <= 3) == (True, True, True)
