"""The two scores of a map of clusters: the table of section 22 of the specification."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.habitat.score import coherence_score, fragment_score, pieces_of


def stripes(rows: int, columns: list[int]) -> np.ndarray:
    return np.tile(columns, (rows, 1))


def with_one_pixel() -> np.ndarray:
    found = stripes(6, [1, 1, 2, 2, 1, 1])
    found[0, 0] = 3
    return found


MAPS = {
    "halves": (stripes(6, [1, 1, 1, 2, 2, 2]), 0.0, 0.0),
    "three stripes": (stripes(6, [1, 1, 2, 2, 1, 1]), 0.5, 1 / 3),
    "and one pixel": (with_one_pixel(), 0.5, 11 / 36),
    "five stripes": (stripes(6, [1, 1, 2, 2, 1, 1, 2, 3, 3]), 5 / 9, 1 / 3),
    "blocks that touch at a corner": (np.kron([[1, 0], [0, 1]], np.ones((2, 2), int)), 0.0, 0.0),
    "checkerboard": (np.kron([[1, 2, 1], [2, 1, 2], [1, 2, 1]], np.ones((2, 2), int)), 0.0, 0.0),
}


@pytest.mark.parametrize("name", MAPS)
def test_the_table_of_the_specification(name: str) -> None:
    """Fragment form (pieces of one pixel are not counted) and coherence form."""
    labels, fragment, coherence = MAPS[name]
    assert (fragment_score(labels), coherence_score(labels)) == pytest.approx((fragment, coherence))


def test_diagonal_contact_would_count_otherwise() -> None:
    """The check of the two blocks can fail: by faces alone they are two pieces, which gives 0.75 and 0.5."""
    from scipy import ndimage

    labels = MAPS["blocks that touch at a corner"][0]
    sizes = np.bincount(ndimage.label(labels)[0].ravel())[1:]
    assert (1 - sizes.max() / sizes.size / 8, 1 - sizes.max() / 8) == (0.75, 0.5)


def test_three_dimensions_connect_by_corners_too() -> None:
    """Two voxels that share a corner of a cube are one piece."""
    labels = np.zeros((2, 2, 2), dtype=int)
    labels[0, 0, 0] = labels[1, 1, 1] = 4
    assert {label: sizes.tolist() for label, sizes in pieces_of(labels).items()} == {4: [2]}


def test_an_empty_map_has_no_score() -> None:
    """NaN, not 0."""
    nothing = np.zeros((3, 3), dtype=int)
    assert np.isnan([fragment_score(nothing), coherence_score(nothing)]).all()
