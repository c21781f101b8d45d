"""Label maps."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.image import Geometry, LabelImage

GRID = Geometry((1, 2, 3), (1, 1, 1))


def test_labels() -> None:
    """Voxels per label, background left out."""
    values = np.array([[[0, 2, 2], [5, 0, 2]]], np.uint8)
    assert LabelImage(values, GRID).labels() == {2: 3, 5: 1}


def test_floats_are_refused() -> None:
    """Labels are whole numbers."""
    with pytest.raises(ValueError, match="not float64"):
        LabelImage(np.zeros(GRID.shape), GRID)


def test_shape_must_match() -> None:
    """Values of another shape than the grid are refused."""
    with pytest.raises(ValueError, match="geometry says"):
        LabelImage(np.zeros((1, 1, 1), int), GRID)


def test_read_only() -> None:
    """Nobody can write into it."""
    assert not LabelImage(np.zeros(GRID.shape, int), GRID).values.flags.writeable
