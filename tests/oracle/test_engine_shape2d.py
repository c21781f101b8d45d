"""Shape in a slice against an outline walked square by square."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.features import shape2d

RNG = np.random.default_rng(8)
MASKS = [RNG.random(RNG.integers(1, 10, 2)) < RNG.uniform(0.2, 1) for _ in range(40)]


def lines(mask: NDArray[np.bool_]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Every line of the outline, the region on its left: in each square of four pixels, corner by corner."""
    padded, found = np.pad(mask, 1), []
    for j, i in np.ndindex(padded.shape[0] - 1, padded.shape[1] - 1):
        corners = [padded[j, i], padded[j, i + 1], padded[j + 1, i + 1], padded[j + 1, i]]
        # middles[n] lies between corners n and n + 1
        middles = np.array([(j, i + 0.5), (j + 0.5, i + 1), (j + 1, i + 0.5), (j + 0.5, i)])
        entering = [n for n in range(4) if not corners[n] and corners[(n + 1) % 4]]
        for n in entering:  # from where the walk around the square enters the region to where it leaves it next
            leaving = next(m % 4 for m in range(n + 1, n + 5) if corners[m % 4] and not corners[(m + 1) % 4])
            found.append((middles[n], middles[leaving]))
    return found


@pytest.mark.parametrize("mask", [mask for mask in MASKS if mask.any()], ids=lambda mask: f"{mask.shape}-{mask.sum()}")
def test_outline_equals_the_sum_of_its_lines(mask: NDArray[np.bool_]) -> None:
    """Length, enclosed area and the largest distance between vertices."""
    spacing = np.array([0.8, 1.7])
    outline = [(a * spacing, b * spacing) for a, b in lines(mask)]
    expected = [
        abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in outline)) / 2,
        sum(np.linalg.norm(a - b) for a, b in outline),
        max(np.linalg.norm(a - b) for (a, _), (b, _) in combinations(outline, 2)),
    ]
    found = dict(zip([f.name for f in shape2d.FEATURES], shape2d.compute(mask[None], (3.0, 0.8, 1.7)), strict=True))
    assert [found[n] for n in ("MeshSurface", "Perimeter", "MaximumDiameter")] == pytest.approx(expected, rel=1e-12)
