"""The ROI itself."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.image import Geometry
from isthmus.roi import Roi

GRID = Geometry((2, 3, 4), (2.0, 0.5, 1.0))


def test_volume() -> None:
    """Volume is voxels times their size, in millilitres."""
    assert Roi(np.ones(GRID.shape, bool), GRID).volume_ml == pytest.approx(0.024)


def test_shape_must_match() -> None:
    """A mask of another shape than its grid is refused."""
    with pytest.raises(ValueError, match=r"mask has shape \(1, 1, 1\)"):
        Roi(np.ones((1, 1, 1), bool), GRID)


def test_read_only() -> None:
    """Nobody can write into a mask."""
    assert not Roi(np.ones(GRID.shape, bool), GRID).mask.flags.writeable


def test_repr() -> None:
    """It says its name and size."""
    assert repr(Roi(np.ones(GRID.shape, bool), GRID, "GTV")) == "Roi('GTV', 24 of 24 voxels)"
