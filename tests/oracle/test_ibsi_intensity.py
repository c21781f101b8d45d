"""IBSI's families of intensities against their slow twins, on drawn regions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus import _core
from isthmus.features.ibsi import intensity_histogram, intensity_statistics, intensity_volume_histogram
from oracle import ibsi_intensity as twin
from oracle.regions import KINDS, draws


def assert_same(module: object, found: NDArray[np.float64], expected: Mapping[str, float], case: object) -> None:
    for spec, value in zip(module.FEATURES, found, strict=True):  # type: ignore[attr-defined]
        assert value == pytest.approx(expected[spec.tag], rel=1e-9, abs=1e-9, nan_ok=True), (case, spec.tag)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("instructions", _core.instruction_sets())
def test_intensity_statistics(kind: str, instructions: str) -> None:
    """All 18 equal NumPy's on the list of intensities, with every instruction set."""
    for case in draws(88, seed=7):
        if case.kind == kind:
            _, sample, _ = case.prepared()
            x = case.values[case.mask].astype(np.float64)
            found = _core.intensity_statistics(sample, instructions)
            assert_same(intensity_statistics, found, twin.intensity_statistics(x), case)


def levels_drawn(seed: int, count: int) -> list[tuple[NDArray[np.uint32], int]]:
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        bins = int(rng.choice([1, 2, 3, 8, 40, 400]))
        low, high = sorted(rng.integers(1, bins + 1, 2))
        levels = rng.integers(low, high + 1, int(rng.choice([1, 2, 3, 10, 200])))
        drawn.append((levels.astype(np.uint32), bins))
    return drawn


@pytest.mark.parametrize("seed", range(5))
def test_intensity_histogram(seed: int) -> None:
    """All 23 equal the manual's formulas on the list of levels, empty bins included."""
    for levels, bins in levels_drawn(seed, 40):
        found = _core.intensity_histogram(levels, bins)
        assert_same(intensity_histogram, found, twin.intensity_histogram(levels.astype(np.int64), bins), (levels, bins))


@pytest.mark.parametrize("seed", range(5))
def test_intensity_volume_histogram(seed: int) -> None:
    """All 7 equal the manual's formulas, for any first intensity and step."""
    for levels, bins in levels_drawn(100 + seed, 40):
        found = _core.intensity_volume_histogram(levels, bins, -500.0, 2.5)
        expected = twin.intensity_volume_histogram(levels.astype(np.int64), bins, -500.0, 2.5)
        assert_same(intensity_volume_histogram, found, expected, (levels, bins))


def test_a_fraction_met_exactly_counts() -> None:
    """With 11 levels an intensity fraction is exactly 0.1 and 0.9, with 10 voxels a volume fraction too."""
    levels = np.arange(1, 11, dtype=np.uint32)
    found = _core.intensity_volume_histogram(levels, 11, 1.0, 1.0)
    assert found[:4].tolist() == [0.9, 0.1, 10.0, 2.0]


@pytest.mark.parametrize("levels", [[0, 1], [4]])
def test_levels_outside_the_histogram_are_refused(levels: list[int]) -> None:
    """The core says which level and what the histogram holds."""
    with pytest.raises(ValueError, match="lies outside 1 to 3"):
        _core.intensity_histogram(np.array(levels, np.uint32), 3)
