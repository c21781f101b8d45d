"""The law of every filter: the response in a box is that part of the whole image's response."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.making import SPACING, maps, noise, whole
from isthmus.filters import FILTERS

SHAPE = (7, 12, 15)
BOUNDARIES = ("zero", "nearest", "periodic", "mirror")
EXACT: list[dict[str, Any]] = [
    {"name": "mean", "support": 5},
    {"name": "log", "sigma_mm": 2},
    {"name": "log", "sigma_mm": 1, "by_slice": True},
    {"name": "laws", "kernels": "E5L3S5"},
    {"name": "laws", "kernels": "L5W5R5", "rotation_invariance": True, "energy_distance": 2},
    {"name": "laws", "kernels": "L5E5", "by_slice": True, "rotation_invariance": True, "pooling": "average"},
    {"name": "wavelet", "wavelet": "db2", "level": 2},
    {"name": "wavelet", "wavelet": "coif1", "subband": "LH", "by_slice": True, "rotation_invariance": True},
    {"name": "wavelet", "wavelet": "haar", "subband": "LLH", "rotation_invariance": True, "pooling": "max"},
    {"name": "simoncelli", "level": 1},
    {"name": "riesz_log", "sigma_mm": 2, "order": (0, 1, 1)},
]
ROUNDED: list[dict[str, Any]] = [  # the length of a transform depends on the box
    {"name": "gabor", "sigma_mm": 2, "wavelength_mm": 3, "theta_degrees": 30},
    {"name": "gabor", "sigma_mm": 2, "wavelength_mm": 3, "theta_step_degrees": 90, "orthogonal_planes": True},
    {"name": "simoncelli", "level": 2, "by_slice": True},
    {"name": "riesz_simoncelli", "level": 1, "order": (1, 1), "by_slice": True},
    {"name": "riesz_simoncelli", "level": 1, "order": (0, 1, 1), "tensor_sigma_mm": 1.5},
]
IMAGE = noise(SHAPE, np.int16, SPACING)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[slice, slice, slice]:
    parts = []
    for size in SHAPE:
        start = draw(st.integers(0, size - 1))
        parts.append(slice(start, draw(st.integers(start + 1, size))))
    return tuple(parts)  # type: ignore[return-value]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("table", EXACT + ROUNDED, ids=lambda table: "-".join(map(str, table.values())))
def test_a_box_is_a_part_of_the_whole(table: dict[str, Any], boundary: str) -> None:
    """To the bit where sums do not depend on the box, otherwise to rounding; float64, in C order."""
    filtered = table | {"boundary": boundary}
    expected = maps(IMAGE, whole(IMAGE), filtered)

    @given(boxes())
    @settings(max_examples=10, deadline=None, derandomize=True)
    def check(box: tuple[slice, slice, slice]) -> None:
        for name, response in maps(IMAGE, box, filtered).items():
            assert response.dtype == np.float64
            assert response.flags.c_contiguous
            part = expected[name][box]
            if table in EXACT:
                np.testing.assert_array_equal(response, part)
            else:
                np.testing.assert_allclose(response, part, atol=1e-11 * np.abs(expected[name]).max())

    check()


def test_every_ibsi_filter_is_asked() -> None:
    """A filter with a boundary condition stands in one of the lists above."""
    asked = {table["name"] for table in EXACT + ROUNDED}
    assert asked == {name for name, module in FILTERS.items() if "boundary" in module.Settings.model_fields}
