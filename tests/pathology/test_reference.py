"""A cohort's reference, and the quality of optical densities."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.pathology import RUIFROK, Stains
from isthmus.pathology.reference import cohort_reference, density_quality


def of(strength: float) -> Stains:
    return Stains(RUIFROK.vectors, np.array([strength, 1.0]))


def test_an_odd_slide_does_not_move_the_reference() -> None:
    found = cohort_reference([of(1.0), of(1.1), of(9.0)])
    assert found.strongest == pytest.approx([1.1, 1.0])
    assert found.vectors == pytest.approx(RUIFROK.vectors)


def test_a_large_centre_does_not_outvote_the_others() -> None:
    """Three slides of 1 in A, one of 3 in B: 2, not 1."""
    assert cohort_reference([of(1), of(1), of(1), of(3)], ["A", "A", "A", "B"]).strongest[0] == 2


def test_no_slide_has_no_reference() -> None:
    with pytest.raises(TableError, match="0 slides"):
        cohort_reference([])


def test_saturation_and_glass_are_told() -> None:
    rgb = np.full((10, 10, 3), 240, dtype=np.uint8)
    rgb[:5], rgb[0] = 100, 2
    tissue = np.zeros((10, 10), dtype=bool)
    tissue[:5] = True
    found = density_quality(rgb, tissue, 240.0)
    assert (found.saturated, found.glass) == (0.2, 0)
    assert found.mean == pytest.approx((4 * np.log(2.4) + np.log(120)) / 5)
