"""First-order features against their slow twin, on drawn small regions."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus import _core
from oracle.intensity import firstorder_features
from oracle.regions import KINDS, draws

NAMES = _core.feature_names("firstorder")


@pytest.mark.parametrize("kind", KINDS)
def test_first_order_equals_the_slow_formulas(kind: str) -> None:
    """All 18 statistics equal NumPy's on the list of intensities."""
    for case in draws(132, seed=3):
        if case.kind != kind:
            continue
        region, sample, edges = case.prepared()
        found = dict(zip(NAMES, _core.features(region, sample, edges, 2, _core.Workspace()), strict=True))
        x = case.values[case.mask].astype(np.float64)
        expected = firstorder_features(x, np.digitize(x, edges), float(np.prod(case.spacing)))
        for name in NAMES:
            assert found[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-9, nan_ok=True), (case, name)


def test_percentiles_of_many_values_equal_numpys() -> None:
    """The histogram shortcut gives the same order statistics on 60,000 skewed values with ties."""
    rng = np.random.default_rng(5)
    values = np.round(rng.lognormal(3, 1.5, (20, 50, 60)), 1).astype(np.float32)
    region = _core.Region(np.ones(values.shape, bool), (1, 1, 1))
    sample = _core.Sample(region, values)
    found = _core.features(region, sample, np.array([0.0, sample.maximum + 1]), 2, _core.Workspace())
    x = values.ravel().astype(np.float64)
    expected = [*np.percentile(x, [10, 90, 50]), np.subtract(*np.percentile(x, [75, 25]))]
    positions = [NAMES.index(name) for name in ("10Percentile", "90Percentile", "Median", "InterquartileRange")]
    np.testing.assert_array_equal(found[positions], expected)


def test_levels_of_uneven_bins_equal_numpys() -> None:
    """Bins of very different widths: every level is numpy.digitize's, also for values on an edge."""
    rng = np.random.default_rng(6)
    edges = np.unique(np.round(np.cumsum(rng.lognormal(0, 2, 60)), 2))
    values = rng.uniform(edges[0], edges[-1] * 1.1, (7, 8, 20))
    values.ravel()[: edges.size] = edges
    region = _core.Region(np.ones(values.shape, bool), (1, 1, 1))
    rows = _core.matrices(region, _core.Sample(region, values), edges, _core.Workspace())["ngtdm"]
    levels, counts = np.unique(np.digitize(values, edges), return_counts=True)
    np.testing.assert_array_equal(rows[:, 1:3], np.column_stack([levels, counts]))
