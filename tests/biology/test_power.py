"""Power against simulation and against its own inverse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isthmus.biology.power import detectable, fdr_level, power_at


def test_power_is_the_share_of_simulated_tests() -> None:
    """Two groups of six, spread 1, difference 1.5."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (20000, 6)), rng.normal(1.5, 1, (20000, 6))
    share = (stats.ttest_ind(a, b, axis=1).pvalue < 0.05).mean()
    assert power_at(1.5, np.sqrt(2 / 6), 10, 0.05) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("df", [8.4, float("inf")])
def test_the_detectable_difference_has_the_power(df: float) -> None:
    """Forwards and backwards."""
    assert power_at(detectable(0.3, df, 0.002), 0.3, df, 0.002) == pytest.approx(0.8)


def test_the_level_of_a_false_discovery_rate() -> None:
    """1000 tests, 50 true ones found with power 0.8: alpha makes 5 % of what is found false."""
    alpha = fdr_level(0.05, 0.05, 0.8)
    assert 950 * alpha / (950 * alpha + 50 * 0.8) == pytest.approx(0.05)
