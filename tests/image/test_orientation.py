"""What a slice's plane is called, and what its edges are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from isthmus.image.geometry import Geometry
from isthmus.image.orientation import Orientation, orientation

X, Y, Z = np.eye(3)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ((Z, Y, X), ("axial", "R", "A")),
        ((Z, -Y, X), ("axial", "R", "P")),
        ((-Z, Y, -X), ("axial", "L", "A")),
        ((Y, -Z, X), ("coronal", "R", "H")),
        ((X, -Z, Y), ("sagittal", "A", "H")),
        ((Z * np.cos(0.3) + Y * np.sin(0.3), Y * np.cos(0.3) - Z * np.sin(0.3), X), ("oblique axial", "R", "A")),
    ],
)
def test_planes_and_edges(axes: tuple[Any, ...], expected: tuple[str, str, str]) -> None:
    """In LPS x grows to the left of the patient, y to his back, z to his head; an edge is where an axis begins."""
    found = orientation(Geometry((4, 5, 6), (1, 1, 1), direction=np.stack(axes, axis=1)))
    assert (found.plane, found.left, found.top) == expected


@pytest.mark.parametrize("geometry", [Geometry((1, 5, 6), (1, 1, 1)), Geometry((4, 5, 6), (1, 1, 1), placed=False)])
def test_a_picture_does_not_say(geometry: Geometry) -> None:
    """One slice (ultrasound), and a picture without a place in the patient."""
    assert orientation(geometry) == Orientation()
