"""Connected parts of a mask, against SciPy's labelling."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from isthmus import _core


def by_scipy(mask: np.ndarray) -> list[int]:
    """Sizes of the parts, largest first."""
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    return sorted(np.bincount(labels.ravel())[1:].tolist(), reverse=True)


@given(st.tuples(*[st.integers(1, 9)] * 3), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_part_sizes(shape: tuple[int, int, int], share: float, seed: int) -> None:
    """Any mask has the parts SciPy finds."""
    mask = np.random.default_rng(seed).random(shape) < share
    assert _core.part_sizes(mask) == by_scipy(mask)


def test_spiral() -> None:
    """One part whose rows meet late: a comb, joined at its end only."""
    mask = np.zeros((1, 9, 20), dtype=bool)
    mask[0, ::2] = True
    mask[0, :, -1] = True
    assert _core.part_sizes(mask) == [int(mask.sum())]


def test_view() -> None:
    """A part of a larger mask, rows apart in memory."""
    mask = np.random.default_rng(1).random((6, 7, 8)) < 0.3
    assert _core.part_sizes(mask[1:5, 2:6, 1:7]) == by_scipy(mask[1:5, 2:6, 1:7])
