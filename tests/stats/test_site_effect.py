"""The effect of the site, against scipy feature by feature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.site_effect import site_effect


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    sites = np.repeat(["a", "b", "c"], [20, 15, 9])
    values = rng.normal(size=(44, 5)) + np.searchsorted(["a", "b", "c"], sites)[:, None] * np.linspace(0, 1, 5)
    values[:, 4] = np.round(values[:, 4])  # ties
    return values, sites


@pytest.mark.parametrize("feature", range(5))
def test_is_scipys(feature, drawn):
    """F, H and their p-values of each feature are scipy's, ties included."""
    values, sites = drawn
    found = site_effect(values, sites)
    parts = [values[sites == name, feature] for name in "abc"]
    f, h = stats.f_oneway(*parts), stats.kruskal(*parts)
    got = [found.f[feature], found.p[feature], found.h[feature], found.kruskal_p[feature]]
    np.testing.assert_allclose(got, [f.statistic, f.pvalue, h.statistic, h.pvalue], rtol=1e-10)


def test_one_site_is_refused(drawn):
    """No effect of a site can be seen in one."""
    with pytest.raises(TableError, match="two sites"):
        site_effect(drawn[0], np.repeat("a", 44))
