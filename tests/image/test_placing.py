"""A mask of one grid on another, against a slow twin that asks for every voxel by its place in the patient."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from image.making import oblique
from isthmus.image import Geometry
from isthmus.image.placing import nearest, place

SHAPE = (6, 7, 8)


def some(shape: tuple[int, int, int] = SHAPE, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < 0.3


def by_place(mask: np.ndarray, source: Geometry, target: Geometry) -> np.ndarray:
    """Each voxel of the target, one by one: is the source's voxel around its centre set?"""
    out = np.zeros(target.shape, dtype=bool)
    for index in np.ndindex(*target.shape):
        there = np.linalg.solve(source.affine, target.affine @ [*index, 1])[:3]
        voxel = tuple(int(np.floor(x + 0.5 + 1e-9)) for x in there)
        if all(0 <= v < n for v, n in zip(voxel, source.shape, strict=True)):
            out[index] = mask[voxel]
    return out


@pytest.mark.parametrize(
    "target",
    [
        Geometry(SHAPE, (1, 1, 1)),
        Geometry((4, 9, 5), (1.7, 0.8, 1.3), (0.4, -1.2, 0.9)),
        Geometry((9, 9, 9), (0.6, 0.7, 0.9), (5.0, 4.0, 3.0), oblique().direction),
        Geometry((3, 3, 3), (1, 1, 1), (100, 100, 100)),
    ],
)
def test_nearest(target: Geometry) -> None:
    """Nearest neighbour on finer, coarser, turned and distant grids."""
    source = Geometry(SHAPE, (1, 1, 1))
    np.testing.assert_array_equal(nearest(some(), source, target), by_place(some(), source, target))


@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_place(order: tuple[int, ...], signs: tuple[int, ...]) -> None:
    """Whichever way the axes run, each voxel stays at its place."""
    mask, grid = some(), oblique(SHAPE)
    turned = np.transpose(mask, order)[tuple(slice(None, None, s) for s in signs)]
    columns = grid.affine[:3, :3][:, list(order)] * signs
    corner = [0 if s == 1 else n - 1 for s, n in zip(signs, turned.shape, strict=True)]
    index = np.empty(3)
    index[list(order)] = corner
    spacing = tuple(np.linalg.norm(columns, axis=0))
    source = Geometry(turned.shape, spacing, tuple((grid.affine @ [*index, 1])[:3]), columns / spacing)
    placed = place(turned, source, grid)
    assert placed is not None
    np.testing.assert_array_equal(placed[0], mask)


def test_outside_is_counted() -> None:
    """Voxels beyond the border are counted, not wrapped around."""
    mask = np.ones((2, 2, 2), dtype=bool)
    placed = place(mask, Geometry((2, 2, 2), (1, 1, 1), (-1, 0, 0)), Geometry((2, 2, 2), (1, 1, 1)))
    assert placed is not None
    assert (int(placed[0].sum()), placed[1]) == (4, 4)


@pytest.mark.parametrize(
    "source",
    [
        Geometry(SHAPE, (1, 1, 1.01)),
        Geometry(SHAPE, (1, 1, 1), (0.3, 0, 0)),
        Geometry(SHAPE, (1, 1, 1), (0, 0, 0), oblique().direction),
        Geometry(SHAPE, (2, 1, 1)),
    ],
)
def test_grids_that_do_not_coincide(source: Geometry) -> None:
    """Another spacing, an offset of a part of a voxel, a turn: no placing."""
    assert place(some(), source, Geometry(SHAPE, (1, 1, 1))) is None


def test_single_slice() -> None:
    """Of one slice the distance to the next does not matter."""
    mask = some((1, 7, 8))
    placed = place(mask, Geometry((1, 7, 8), (9.0, 1, 1), (0, 0, 4)), Geometry(SHAPE, (2, 1, 1)))
    assert placed is not None
    np.testing.assert_array_equal(placed[0][2], mask[0])
