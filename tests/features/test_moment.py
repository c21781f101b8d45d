"""Moment invariants: closed forms, invariances, and a slow twin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.features import moment


def twin(image: NDArray[Any], mask: NDArray[np.bool_], spacing: tuple[float, float, float]) -> tuple[float, float]:
    """Term by term from the definition."""
    voxels = [tuple(int(n) for n in voxel) for voxel in np.argwhere(mask)]
    x = [float(image[voxel]) for voxel in voxels]
    places = [[n * s for n, s in zip(voxel, spacing, strict=True)] for voxel in voxels]
    mean, low, element = sum(x) / len(x), min(x), math.prod(spacing)
    weights = [(one - low) / (mean - low) for one in x]
    centre = [sum(w * place[a] for w, place in zip(weights, places, strict=True)) / sum(weights) for a in range(3)]

    def eta(*powers: int) -> float:
        mu = sum(
            w * math.prod((place[a] - centre[a]) ** powers[a] for a in range(3)) * element
            for w, place in zip(weights, places, strict=True)
        )
        return mu / (sum(weights) * element) ** (1 + sum(powers) / 3)

    a, b, c = eta(2, 0, 0), eta(0, 2, 0), eta(0, 0, 2)
    return a + b + c, a * b + a * c + b * c - eta(1, 1, 0) ** 2 - eta(1, 0, 1) ** 2 - eta(0, 1, 1) ** 2


def drawn(seed: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(2, 9, 3))
    mask = rng.random(shape) < 0.6
    mask[0, 0, 0] = mask[-1, -1, -1] = True
    return rng.normal(-200, 300, shape), mask


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_the_twin(seed: int) -> None:
    """On ragged regions with negative intensities and uneven spacing."""
    image, mask = drawn(seed)
    spacing = (3.0, 0.7, 1.1)
    assert moment.compute(image, mask, spacing) == pytest.approx(twin(image, mask, spacing), rel=1e-10)


def test_a_ball_that_brightens_outwards() -> None:
    """With the square of the distance as intensity, a ball has variances 5 R^2 / 21 along every axis."""
    n = 48
    axis = (np.arange(n) - (n - 1) / 2) / (n / 2)
    squared = axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2
    values = moment.compute(squared, squared <= 1, (2 / n, 2 / n, 2 / n))
    along = 5 / 21 / (4 * math.pi / 3) ** (2 / 3)
    assert values == pytest.approx([3 * along, 3 * along**2], rel=5e-3)


def test_does_not_change_with_the_scale_of_intensities() -> None:
    """Nor with their zero: HU and CT numbers give the same."""
    image, mask = drawn(11)
    assert moment.compute(2.5 * image + 1024, mask, (1, 1, 1)) == pytest.approx(
        moment.compute(image, mask, (1, 1, 1)), rel=1e-9
    )


def test_does_not_change_when_moved_turned_or_enlarged() -> None:
    """Shifted in the grid, a quarter turn about each axis, twice as large."""
    image, mask = drawn(12)
    start = moment.compute(image, mask, (2.0, 2.0, 2.0))
    moved = [
        moment.compute(np.pad(image, 3), np.pad(mask, 3), (2.0, 2.0, 2.0)),
        *(moment.compute(np.rot90(image, 1, ax), np.rot90(mask, 1, ax), (2.0, 2.0, 2.0)) for ax in ((0, 1), (1, 2))),
        moment.compute(image, mask, (4.0, 4.0, 4.0)),
    ]
    assert all(one == pytest.approx(start, rel=1e-10) for one in moved)


def test_one_intensity_has_none() -> None:
    """Without any difference there are no weights."""
    assert np.isnan(moment.compute(np.full((3, 3, 3), -5.0), np.ones((3, 3, 3), bool), (1, 1, 1))).all()
