"""The k-sample Anderson-Darling test, against scipy feature by feature."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.anderson_darling import anderson_darling, differ


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(40, 5))
    values[:, 3], values[:, 4] = np.round(values[:, 3]), np.round(values[:, 4] * 2) / 2  # ties
    values[:15, 1] += 1.5
    return values, np.repeat(list("abc"), [15, 15, 10])


@pytest.mark.parametrize("feature", range(5))
def test_is_scipys(feature, drawn):
    """The standardised statistic with midranks, ties included."""
    values, sites = drawn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy: p beyond its table
        theirs = stats.anderson_ksamp([values[sites == name, feature] for name in "abc"]).statistic
    assert anderson_darling(values, sites)[feature] == pytest.approx(theirs, rel=1e-9)


def test_finds_the_feature_that_moved(drawn):
    """Only the second feature differs."""
    assert np.flatnonzero(differ(*drawn)).tolist() == [1]


def test_five_per_cent_of_equal_features_are_called_different():
    """The level is kept: 2,000 features without a difference."""
    values = np.random.default_rng(2).normal(size=(60, 2000))
    assert 0.035 < differ(values, np.repeat(["a", "b"], 30)).mean() < 0.065


def test_one_site_is_refused(drawn):
    """One sample has nothing to differ from."""
    with pytest.raises(TableError, match="two groups"):
        anderson_darling(drawn[0], np.repeat("a", 40))
