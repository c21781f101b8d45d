"""Box counting: known shapes, and a slow twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.features import fractal


def twin(mask: NDArray[np.bool_]) -> float:
    """Boxes as a set of numbered boxes, the line by `numpy.polyfit`."""
    voxels = np.argwhere(mask)
    voxels = voxels - voxels.min(axis=0)
    longest = int(voxels.max()) + 1
    sizes = [2**power for power in range(20) if 2**power <= longest / 2]
    if len(sizes) < 2:
        return math.nan
    counts = [len({tuple(voxel // size) for voxel in voxels}) for size in sizes]
    return float(np.polyfit(np.log([1 / size for size in sizes]), np.log(counts), 1)[0])


@pytest.mark.parametrize(
    ("shape", "dimension"), [((16, 16, 16), 3), ((24, 24, 24), 3), ((1, 32, 32), 2), ((16, 1, 16), 2), ((1, 1, 64), 1)]
)
def test_filled_solids(shape: tuple[int, int, int], dimension: int) -> None:
    """A filled cube has dimension 3, a plane 2, a line 1."""
    assert fractal.compute(np.ones(shape, bool))[0] == pytest.approx(dimension, abs=1e-12)


def test_sierpinski_tetrahedron() -> None:
    """The voxels whose coordinates share no binary digit with one another: 4 copies at half the size, dimension 2."""
    k, j, i = np.indices((32, 32, 32))
    assert fractal.compute((k & j | k & i | j & i) == 0)[0] == pytest.approx(2, abs=1e-12)


def test_menger_like_carpet() -> None:
    """A plane's Sierpinski triangle: 3 copies at half the size, dimension log 3 / log 2."""
    j, i = np.indices((64, 64))
    assert fractal.compute(((j & i) == 0)[None])[0] == pytest.approx(math.log2(3), abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_the_twin(seed: int) -> None:
    """On ragged regions anywhere in the grid."""
    rng = np.random.default_rng(seed)
    mask = rng.random(tuple(rng.integers(1, 30, 3))) < rng.uniform(0.02, 0.9)
    mask[-1, -1, -1] = True
    assert fractal.compute(mask)[0] == pytest.approx(twin(mask), rel=1e-12, nan_ok=True)


def test_does_not_change_when_moved() -> None:
    """The boxes start at the region, not at the grid."""
    rng = np.random.default_rng(5)
    mask = rng.random((9, 12, 14)) < 0.4
    assert fractal.compute(np.pad(mask, ((3, 1), (0, 5), (7, 2))))[0] == fractal.compute(mask)[0]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 2), (3, 3, 3)])
def test_too_short(shape: tuple[int, int, int]) -> None:
    """Less than four voxels long there are no two sizes, and no slope."""
    assert math.isnan(fractal.compute(np.ones(shape, bool))[0])
