"""Filling outlines: holes, islands, keyholes, outlines smaller than a voxel, oblique grids."""

from __future__ import annotations

import numpy as np
import pytest

from image.making import in_patient, oblique
from isthmus.errors import GeometryMismatchError, MaskError
from isthmus.image.contours import Contour, rasterise, rasterise_with_notes

GRID = oblique((5, 20, 24))


def square(low: float, high: float) -> list[tuple[float, float]]:
    """Corners (j, i) of a square."""
    return [(low, low), (low, high), (high, high), (high, low)]


def drawn(corners: list[tuple[float, float]], k: float = 2, **facts: str) -> Contour:
    """An outline on slice k, given in voxels."""
    return Contour(in_patient(GRID, k, corners), **facts)


def block(*spans: tuple[int, int], k: int = 2) -> np.ndarray:
    """Squares of voxels, combined by exclusive or."""
    mask = np.zeros(GRID.shape, dtype=bool)
    for low, high in spans:
        mask[k, low:high, low:high] ^= True
    return mask


def inside(j: float, i: float, corners: list[tuple[float, float]]) -> bool:
    """The even-odd rule in plain words: count the edges a ray crosses."""
    crossings = 0
    for (j0, i0), (j1, i1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (j0 <= j) != (j1 <= j):
            crossings += i0 + (j - j0) / (j1 - j0) * (i1 - i0) <= i
    return crossings % 2 == 1


def test_square() -> None:
    """A square holds the voxels whose centres it holds."""
    np.testing.assert_array_equal(rasterise([drawn(square(3.5, 9.5))], GRID), block((4, 10)))


def test_random_polygons() -> None:
    """Drawn polygons, self-crossing ones too, equal the rule spelt out voxel by voxel."""
    generator = np.random.default_rng(5)
    for _ in range(20):
        corners = [tuple(point) for point in generator.uniform(-1, [20, 24], (9, 2))]
        expected = [[inside(j, i, corners) for i in range(24)] for j in range(20)]
        np.testing.assert_array_equal(rasterise([drawn(corners)], GRID)[2], expected)


def test_hole() -> None:
    """An outline inside an outline is a hole."""
    contours = [drawn(square(2.5, 15.5)), drawn(square(5.5, 10.5))]
    np.testing.assert_array_equal(rasterise(contours, GRID), block((3, 16), (6, 11)))


def test_island_in_a_hole() -> None:
    """An outline inside a hole is an island."""
    contours = [drawn(square(2.5, 15.5)), drawn(square(4.5, 13.5)), drawn(square(7.5, 9.5))]
    np.testing.assert_array_equal(rasterise(contours, GRID), block((3, 16), (5, 14), (8, 10)))


def test_corners_on_voxel_centres() -> None:
    """Corners on centres: the lower and left edge belong to the ROI, the upper and right do not, on an oblique grid too."""
    np.testing.assert_array_equal(rasterise([drawn(square(4, 10))], GRID), block((4, 10)))


def test_order_does_not_matter() -> None:
    """Holes may come before what they are cut from."""
    contours = [drawn(square(5.5, 10.5)), drawn(square(2.5, 15.5))]
    np.testing.assert_array_equal(rasterise(contours, GRID), rasterise(contours[::-1], GRID))


@pytest.mark.parametrize("cut", [(2.5, 2.5), (2.5, 7.3)])
def test_keyhole(cut: tuple[float, float]) -> None:
    """One outline with a cut to its hole equals two outlines; the cut has no width."""
    outer, inner = square(2.5, 15.5), square(5.5, 10.5)
    keyhole = [cut, *outer[1:], outer[0], cut, *inner, inner[0]]
    np.testing.assert_array_equal(rasterise([drawn(keyhole)], GRID), block((3, 16), (6, 11)))


def test_winding_does_not_matter() -> None:
    """Clockwise and anticlockwise are one."""
    corners = square(3.5, 9.5)
    np.testing.assert_array_equal(rasterise([drawn(corners)], GRID), rasterise([drawn(corners[::-1])], GRID))


def test_touching_squares_share_no_voxel() -> None:
    """Two outlines with a common edge through voxel centres leave no gap and count no voxel twice."""
    left = [(2, 2), (2, 8), (9, 8), (9, 2)]
    right = [(2, 8), (2, 14), (9, 14), (9, 8)]
    both = rasterise([drawn(left), drawn(right)], GRID)
    assert both.sum() == rasterise([drawn(left)], GRID).sum() + rasterise([drawn(right)], GRID).sum()


def test_tiny_exclusions_keep_the_slice() -> None:
    """An outline with two four-point exclusions, one 0.12 mm wide, keeps its slice."""
    spacing = GRID.spacing_mm[1]
    thin = [(6.3, 4.2), (6.3, 4.2 + 0.12 / spacing), (8.3, 4.2 + 0.12 / spacing), (8.3, 4.2)]
    contours = [drawn(square(2.5, 15.5)), drawn(square(10.5, 12.5)), drawn(thin)]
    np.testing.assert_array_equal(rasterise(contours, GRID), block((3, 16), (11, 13)))


def test_outline_smaller_than_a_voxel() -> None:
    """An outline between voxel centres holds none; that is said."""
    contours = [drawn(square(3.5, 9.5)), drawn(square(4.1, 4.9), k=3)]
    mask, notes = rasterise_with_notes(contours, GRID)
    assert not mask[3].any()
    assert "1 outlined slices hold no voxel centre" in notes[0]


def test_slice_within_half_a_step() -> None:
    """An outline a little off its slice belongs to the nearest."""
    np.testing.assert_array_equal(rasterise([drawn(square(3.5, 9.5), k=2.4)], GRID), block((4, 10)))


def test_planes_of_a_finer_series() -> None:
    """Two planes on one slice would cancel: they are refused."""
    with pytest.raises(GeometryMismatchError, match=r"two planes, 0\.50 slice steps apart, fall on slice 2"):
        rasterise([drawn(square(3.5, 9.5), k=1.75), drawn(square(3.5, 9.5), k=2.25)], GRID)


def test_outline_across_slices() -> None:
    """An outline that is not parallel to the slices is refused."""
    points = in_patient(GRID, 2, square(3.5, 9.5))
    points[0] += 2 * GRID.direction[:, 0] * GRID.spacing_mm[0]
    with pytest.raises(GeometryMismatchError, match=r"spans 2\.00 slice steps"):
        rasterise([Contour(points)], GRID)


def test_skipped_items() -> None:
    """Points, open lines and short outlines are counted."""
    contours = [
        drawn(square(3.5, 9.5)),
        drawn([(1, 1)], kind="POINT"),
        drawn([(1, 1), (2, 2), (3, 1)], kind="OPEN_PLANAR"),
        drawn([(1, 1), (2, 2)]),
        Contour(np.zeros((0, 3))),
    ]
    mask, notes = rasterise_with_notes(contours, GRID)
    assert notes == ("1 POINT items skipped", "1 open contours skipped", "2 contours of fewer than 3 points skipped")
    assert mask.sum() == 36


def test_nothing_to_fill() -> None:
    """Points alone make no mask."""
    with pytest.raises(MaskError, match="none of the 1 contours can be filled"):
        rasterise([drawn([(1, 1)], kind="POINT")], GRID)


@pytest.mark.parametrize("k", [-1, 5, 40])
def test_outside_the_image(k: int) -> None:
    """Outlines of another series are refused."""
    with pytest.raises(GeometryMismatchError, match="all 1 contours lie outside the image"):
        rasterise([drawn(square(3.5, 9.5), k=k)], GRID)


def test_partly_outside() -> None:
    """Outlines beyond the last slice are counted."""
    _, notes = rasterise_with_notes([drawn(square(3.5, 9.5), k=4), drawn(square(3.5, 9.5), k=5)], GRID)
    assert notes == ("1 of 2 contours lie outside the image and were left out",)


def test_cut_at_the_border() -> None:
    """An outline beyond the picture's edge is cut there, and that is said."""
    mask, notes = rasterise_with_notes([drawn(square(-5, 2.5))], GRID)
    assert mask.sum() == 9
    assert notes == ("1 contours cross the border of the image and were cut there",)


def test_gap() -> None:
    """Slices without an outline stay empty, and that is said."""
    _, notes = rasterise_with_notes([drawn(square(3.5, 9.5), k=1), drawn(square(3.5, 9.5), k=4)], GRID)
    assert notes == ("2 slices between the first and the last contour have none; they stay empty",)


def test_reference_agrees() -> None:
    """A reference that resolves to the same slice says nothing."""
    contours = [drawn(square(3.5, 9.5), instance="1.2")]
    assert rasterise_with_notes(contours, GRID, {"1.2": 2})[1] == ()


def test_reference_disagrees() -> None:
    """Position and reference that name different slices are an error with both."""
    with pytest.raises(GeometryMismatchError, match="slice 2 by its position but refers to slice 4"):
        rasterise_with_notes([drawn(square(3.5, 9.5), instance="1.2")], GRID, {"1.2": 4})


def test_reference_does_not_resolve() -> None:
    """A reference to another export falls back to the position, and that is said."""
    mask, notes = rasterise_with_notes([drawn(square(3.5, 9.5), instance="9.9")], GRID, {"1.2": 4})
    assert mask[2].any()
    assert notes == ("1 contours refer to slices that are not in this series; matched by position",)
