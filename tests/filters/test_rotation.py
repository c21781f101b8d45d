"""Rotation invariance against its definition: the image turned, filtered, turned back, and pooled."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from filters.making import maps, noise, whole
from isthmus.image import Geometry, Image

POOL = {"max": np.max, "average": np.mean, "min": np.min}
KINDS = {
    "wavelet": {"name": "wavelet", "wavelet": "db3", "subband": "LHL"},
    "wavelet level 2": {"name": "wavelet", "wavelet": "haar", "subband": "HHL", "level": 2},
    "laws": {"name": "laws", "kernels": "E5L3R5"},
    "laws, equal kernels": {"name": "laws", "kernels": "W5W5W5"},
}


def rotations(axes: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Axes put elsewhere, and those flipped afterwards, with determinant one."""
    for order in permutations(axes):
        full = list(range(3))
        for axis, other in zip(axes, order, strict=True):
            full[axis] = other
        for flips in product((False, True), repeat=len(axes)):
            if np.linalg.det(np.eye(3)[full]) * (-1) ** sum(flips) > 0:
                yield tuple(full), tuple(axis for axis, flip in zip(axes, flips, strict=True) if flip)


def as_image(values: NDArray[np.float64]) -> Image:
    return Image(np.ascontiguousarray(values), Geometry(values.shape, (1, 1, 1)))  # type: ignore[arg-type]


def only(image: Image, table: dict[str, object]) -> NDArray[np.float64]:
    (response,) = maps(image, whole(image), table).values()
    return response


@pytest.mark.parametrize("boundary", ["nearest", "periodic"])
@pytest.mark.parametrize("pooling", POOL)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by_slice", [False, True])
def test_pooling_is_over_all_turned_responses(kind: str, pooling: str, boundary: str, by_slice: bool) -> None:
    """24 rotations of a volume, 4 of a slice: each response, turned back, enters the pool."""
    table = KINDS[kind] | {"boundary": boundary, "by_slice": by_slice}
    if by_slice:
        cut = {"subband": str(table.get("subband"))[:2], "kernels": str(table.get("kernels"))[:4]}
        table |= {key: value for key, value in cut.items() if key in table}
    image = noise((4, 9, 7), np.float64)
    responses = []
    for order, flips in rotations((1, 2) if by_slice else (0, 1, 2)):
        turned = as_image(np.flip(np.transpose(image.values, order), flips))
        response = np.flip(only(turned, table), flips)
        responses.append(np.transpose(response, np.argsort(order)))
    assert len(responses) == (4 if by_slice else 24)
    found = only(image, table | {"rotation_invariance": True, "pooling": pooling})
    np.testing.assert_allclose(found, POOL[pooling](responses, axis=0), rtol=1e-10, atol=1e-9)
