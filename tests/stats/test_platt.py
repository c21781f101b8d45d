"""Platt's scaling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from isthmus.errors import TableError
from isthmus.stats.platt import platt_scaling


@pytest.fixture
def sample():
    rng = np.random.default_rng(1)
    y = (rng.random(80) < 0.3).astype(int)
    return 3.0 + 2.0 * (y + rng.normal(size=80)), y


def test_it_is_the_maximum_of_platts_likelihood(sample):
    """A general optimiser of the cross-entropy with Platt's targets finds the same line."""
    decision, y = sample
    target = np.where(y == 1, (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2))

    def loss(line):
        eta = line[0] * decision + line[1]
        return np.sum(np.logaddexp(0, eta) - target * eta)

    want = optimize.minimize(
        loss, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 5000}
    )
    np.testing.assert_allclose(platt_scaling(decision, y), want.x, atol=1e-5)


def test_it_is_that_of_scikit_learn(sample):
    """scikit-learn's calibration by sigmoid finds the same line (its sign turned)."""
    from sklearn.calibration import _SigmoidCalibration

    theirs = _SigmoidCalibration().fit(*sample)
    np.testing.assert_allclose(platt_scaling(*sample), (-theirs.a_, -theirs.b_), atol=1e-4)


def test_separated_values_have_a_finite_slope():
    """Platt's targets keep the slope finite where the values separate the classes."""
    slope, intercept = platt_scaling(np.r_[np.arange(5.0), np.arange(10.0, 15.0)], np.repeat([0, 1], 5))
    assert 0 < slope < 10
    assert np.isfinite(intercept)


def test_equal_values_give_the_smoothed_prevalence():
    """Where all values are equal the slope is 0."""
    slope, intercept = platt_scaling(np.ones(6), [0, 0, 0, 0, 1, 1])
    assert (slope, 1 / (1 + np.exp(-intercept))) == (0.0, pytest.approx(3 / 8))


def test_one_class_is_refused():
    """There is no line for one class."""
    with pytest.raises(TableError, match="both classes"):
        platt_scaling([1.0, 2.0], [1, 1])
