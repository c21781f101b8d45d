"""Random-effects summary of centres against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.meta import random_effects


def test_equal_variances_have_a_closed_form() -> None:
    """With one common variance REML is the spread of the estimates minus that variance, and the mean is plain."""
    y, v = np.array([0.2, 0.9, 1.4, 0.5]), 0.05
    found = random_effects(y, np.full(4, v))
    assert found.tau2 == pytest.approx(y.var(ddof=1) - v, rel=1e-6)
    half = stats.t.ppf(0.975, 3) * np.sqrt(y.var(ddof=1) / 4)
    assert (found.mean.lower, found.mean.upper) == pytest.approx((y.mean() - half, y.mean() + half), rel=1e-6)


def test_centres_that_agree_have_no_variance_between_them() -> None:
    """Where centres differ less than chance would, nothing lies between them."""
    found = random_effects([1.0, 1.01, 0.99], [0.2, 0.1, 0.3])
    assert (found.tau2, found.i2) == (0.0, 0.0)


def test_reml_is_stationary() -> None:
    """The restricted score is zero at the variance found (unequal variances)."""
    y, v = np.array([0.1, 0.8, 1.9, 0.4, 1.1]), np.array([0.02, 0.1, 0.2, 0.05, 0.3])
    tau2 = random_effects(y, v).tau2
    w = 1 / (v + tau2)
    mean = w @ y / w.sum()
    score = -w.sum() + (w**2).sum() / w.sum() + (w**2 * (y - mean) ** 2).sum()
    assert score == pytest.approx(0.0, abs=1e-3)


def test_two_centres_give_no_prediction() -> None:
    """A new centre cannot be foretold from two."""
    assert np.isnan(random_effects([0.2, 0.8], [0.1, 0.1]).prediction.lower)


def test_one_centre_is_refused() -> None:
    """A summary needs two centres with a variance."""
    with pytest.raises(TableError, match="needs two"):
        random_effects([0.2, np.nan], [0.1, 0.1])
