"""Diameters, values inside and contact, on phantoms whose answers are known."""

import numpy as np
import pytest

from isthmus.errors import GeometryMismatchError, MaskError
from isthmus.image import Geometry
from isthmus.image.image import Image
from isthmus.roi import Roi
from isthmus.roi.measure import axial_diameter, contact, enhancement, inside, longest_diameter

SPACING = (2.5, 0.8, 0.5)
SHAPE = (9, 80, 120)


def places() -> list[np.ndarray]:
    """Millimetres from the middle of the grid along k, j and i."""
    middle = np.array(SHAPE)[:, None, None, None] // 2
    return list((np.indices(SHAPE) - middle) * np.array(SPACING)[:, None, None, None])


def roi(mask: np.ndarray, spacing: tuple[float, float, float] = SPACING) -> Roi:
    return Roi(mask, Geometry(mask.shape, spacing), "tumour")


def ellipse(long: float, short: float, turn: float) -> np.ndarray:
    """A tilted ellipse with half axes `long` and `short` in mm, smaller in slices away from the middle."""
    k, j, i = places()
    a, b = np.cos(turn) * i + np.sin(turn) * j, -np.sin(turn) * i + np.cos(turn) * j
    return (a / long) ** 2 + (b / short) ** 2 + (k / 11) ** 2 <= 1


def sector(start: float, end: float, inner: float = 10.0, outer: float = 18.0) -> np.ndarray:
    """What lies between two radii and two angles (degrees), in every slice."""
    _, j, i = places()
    radius, angle = np.hypot(j, i), np.degrees(np.arctan2(j, i)) % 360
    return (radius > inner) & (radius <= outer) & (angle >= start) & (angle < end)


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.2])
def test_the_axial_diameter_is_the_long_axis_of_an_ellipse(turn):
    """A tilted ellipse of 40 by 22 mm measures 40 mm, within a voxel's edge, on voxels that are not square."""
    assert axial_diameter(roi(ellipse(20, 11, turn))).mm == pytest.approx(40, abs=0.8)


@pytest.mark.parametrize("turn", [0.0, 0.4, 1.2])
def test_the_width_across_is_the_short_axis(turn):
    """Perpendicular to it the same ellipse measures 22 mm."""
    assert axial_diameter(roi(ellipse(20, 11, turn))).across_mm == pytest.approx(22, abs=0.8)


def test_the_axial_diameter_is_drawn_where_the_lesion_is_widest():
    """The slice is the middle one, where the ellipse is largest."""
    assert axial_diameter(roi(ellipse(20, 11, 0.4))).slice == SHAPE[0] // 2


def test_the_ends_are_as_far_apart_as_the_diameter_says():
    """The two ends, voxels times spacing, are the length apart."""
    found = axial_diameter(roi(ellipse(20, 11, 0.4)))
    a, b = (np.array(end) * SPACING for end in found.ends)
    assert np.linalg.norm(a - b) == pytest.approx(found.mm)


@pytest.mark.parametrize(
    ("measure", "feature"), [(axial_diameter, "Maximum2DDiameterSlice"), (longest_diameter, "Maximum3DDiameter")]
)
def test_diameters_are_those_of_the_shape_features(measure, feature):
    """On a ragged mask the two diameters equal the shape features of the pyradiomics profile (vertices of the mesh)."""
    from isthmus import extract

    rng = np.random.default_rng(4)
    mask = np.zeros((12, 14, 16), dtype=bool)
    mask[3:9, 3:11, 3:13] = rng.random((6, 8, 10)) > 0.4
    image = rng.normal(size=mask.shape)
    found = extract((image, SPACING), (mask.astype(np.uint8), SPACING), profile="pyradiomics")
    assert measure(roi(mask)).mm == pytest.approx(found[f"original_shape_{feature}"], abs=1e-9)


def test_one_voxel_has_a_size():
    """A single voxel is as long as the larger of its sides."""
    mask = np.zeros((3, 3, 3), dtype=bool)
    mask[1, 1, 1] = True
    assert axial_diameter(roi(mask, (1.0, 2.0, 3.0))).mm == pytest.approx(3.0)


def test_an_empty_mask_is_refused():
    """There is no diameter of nothing."""
    with pytest.raises(MaskError, match="nothing to measure"):
        axial_diameter(roi(np.zeros((3, 3, 3), dtype=bool)))


def _image(values: np.ndarray, quantity: str = "HU") -> Image:
    return Image(values, Geometry(values.shape, SPACING), quantity)


def test_mean_and_deviation_are_those_of_the_voxels_inside():
    """Mean and sample standard deviation over the mask only."""
    values = np.arange(24, dtype=np.float64).reshape(2, 3, 4)
    mask = values > 20
    found = inside(_image(values), roi(mask))
    assert (found.mean, found.sd, found.n_voxels) == pytest.approx((22.0, 1.0, 3))


def test_the_rim_can_be_left_out():
    """A bright rim does not count when the measurement stays 2 mm away from the edge."""
    mask = ellipse(20, 14, 0.0)
    _, j, i = places()
    rim = (i / 17) ** 2 + (j / 11) ** 2 > 1
    assert inside(_image(np.where(rim, 500.0, 60.0)), roi(mask), away_mm=4.0).mean == 60.0


def test_enhancement_is_the_rise_of_the_mean():
    """50 HU before and 130 HU after contrast is a rise of 80 HU."""
    mask = ellipse(20, 11, 0.0)
    before, after = (inside(_image(np.full(SHAPE, value)), roi(mask)) for value in (50.0, 130.0))
    assert enhancement(before, after) == 80.0


def test_units_are_not_mixed():
    """HU and arbitrary units have no difference."""
    mask = ellipse(20, 11, 0.0)
    before, after = (inside(_image(np.ones(SHAPE), unit), roi(mask)) for unit in ("HU", "a.u."))
    with pytest.raises(GeometryMismatchError, match="means nothing"):
        enhancement(before, after)


def test_a_region_of_another_grid_is_refused():
    """A mask of another image is never resampled in silence."""
    with pytest.raises(GeometryMismatchError, match="on this image"):
        inside(_image(np.ones(SHAPE)), roi(np.ones((2, 2, 2), dtype=bool)))


ORGAN = np.hypot(*places()[1:]) <= 10.0


@pytest.mark.parametrize(("start", "end"), [(0, 90), (30, 210), (100, 370), (0, 360)])
def test_contact_is_the_angle_of_the_sector(start, end):
    """A lesion that fills a known sector around a round vessel touches that many degrees of it."""
    lesion = sector(start, min(end, 360)) | sector(0, end - 360)
    assert contact(ORGAN, lesion, SPACING).most == pytest.approx(end - start, abs=4)


def test_contact_is_told_slice_by_slice():
    """The largest contact is found in its slice, and the length is that of the slices that touch."""
    lesion = sector(0, 60)
    lesion[[0, 1, 7, 8]] = False
    lesion[5] |= sector(0, 180)[5]
    found = contact(ORGAN, lesion, SPACING)
    assert (found.where, found.length_mm(SPACING[0])) == (5, 5 * 2.5)


def test_a_plane_of_fat_is_no_contact():
    """A lesion 3 mm away does not touch."""
    assert contact(ORGAN, sector(0, 180, inner=13.0), SPACING).most == 0


def test_a_gap_that_is_allowed_counts():
    """The same lesion touches half of the circumference where 3.5 mm count as contact."""
    assert contact(ORGAN, sector(0, 180, inner=13.0), SPACING, gap_mm=3.5).most == pytest.approx(180, abs=4)


def test_a_lesion_that_grew_into_the_organ_touches_it():
    """A bite out of the organ that is filled by the lesion counts as contact over its angle."""
    bite = sector(40, 100, inner=6.0)
    assert contact(ORGAN & ~bite, bite, SPACING).most == pytest.approx(60, abs=4)


def test_a_lesion_in_the_opening_of_a_cartilage_counts():
    """Of an organ that is an open ring, the part of the opening that the lesion fills is contact."""
    ring = ORGAN & ~(np.hypot(*places()[1:]) <= 7.0) & ~sector(150, 210, inner=0.0)
    assert contact(ring, sector(150, 210, inner=3.0), SPACING).most == pytest.approx(60, abs=12)


def test_no_organ_is_an_error():
    """Without an organ there is no circumference."""
    with pytest.raises(MaskError, match="circumference"):
        contact(np.zeros(SHAPE, dtype=bool), ORGAN, SPACING)
