"""What n supports: Riley's criteria from both ends, and the numbers of the specification."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.errors import PlanError
from isthmus.stats import roc
from isthmus.stats.likelihood_indexes import likelihood_indexes
from isthmus.stats.sample_size import (
    auc_standard_error,
    patients_for_binary,
    patients_for_survival,
    r2_from_auc,
    supported_parameters,
    validation_precision,
)


def test_r2_of_a_c_statistic() -> None:
    """C = 0.80 at 25 % events explains 0.20801, and ten parameters then need 381, 259 and 289 patients."""
    size = patients_for_binary(r2_from_auc(0.80, 0.25), 0.25, 10)
    assert (round(size.r2, 5), size.shrinkage, size.optimism, size.overall_risk) == (0.20801, 381, 259, 289)


@pytest.mark.parametrize(("n", "prevalence", "auc"), [(130, 32 / 130, 0.883), (350, 0.10, 0.839)])
def test_what_two_published_studies_could_support(n: int, prevalence: float, auc: float) -> None:
    """130 patients at AUC 0.883 and 350 at 0.839 support about six parameters, not the hundreds screened."""
    assert supported_parameters(n, prevalence, auc) in {5, 6}


def test_r2_is_that_of_simulated_patients() -> None:
    """The quadrature is the R2 a large sample of the binormal model shows."""
    rng = np.random.default_rng(1)
    y = rng.random(400_000) < 0.2
    distance = 1.2
    x = rng.normal(size=y.size) + distance * y
    lp = np.log(0.25) + distance * x - distance**2 / 2
    p = 1 / (1 + np.exp(-lp))
    assert r2_from_auc(roc.auc(y, x), 0.2) == pytest.approx(likelihood_indexes(y, p).r2_cox_snell, abs=3e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.floats(0.05, 0.95), st.floats(0.6, 0.95))
def test_the_inverse_is_the_inverse(parameters: int, prevalence: float, auc: float) -> None:
    """The patients asked for by criteria 1 and 2 support that many parameters, and one fewer patient does not."""
    size = patients_for_binary(r2_from_auc(auc, prevalence), prevalence, parameters)
    needed = max(size.shrinkage, size.optimism)
    assert (
        supported_parameters(needed, prevalence, auc)
        >= parameters
        > supported_parameters(needed - 1, prevalence, auc) - 1
    )


@pytest.mark.parametrize("auc", [0.6, 0.75, 0.9])
def test_expected_error_is_near_delong(auc: float) -> None:
    """The standard error foretold for an AUC is what DeLong finds in such patients."""
    from scipy import stats

    rng = np.random.default_rng(2)
    y = np.r_[np.ones(400), np.zeros(1200)]
    x = rng.normal(size=y.size) + np.sqrt(2) * stats.norm.ppf(auc) * y
    found = np.sqrt(roc.delong_covariance(y, x)[1][0, 0])
    assert auc_standard_error(auc, 400, 1200) == pytest.approx(found, rel=0.1)


def test_slope_precision_is_that_of_a_fit() -> None:
    """The width foretold for the calibration slope is the width found in a large simulated validation."""
    from isthmus.stats.calibration import calibration_slope

    rng = np.random.default_rng(5)
    y = np.r_[np.ones(1000), np.zeros(3000)]
    x = rng.normal(size=y.size) + 1.0 * y
    p = 1 / (1 + np.exp(-(np.log(1 / 3) + x - 0.5)))
    slope, _ = calibration_slope(y, p)
    foretold = validation_precision(float(roc.auc(y, x)), 1000, 3000)["slope"]
    assert foretold == pytest.approx(slope.upper - slope.lower, rel=0.06)


def test_survival_precision_is_smallest() -> None:
    """One patient fewer than criterion 3 asks for leaves the overall risk known less well than within 0.05."""
    rate, horizon, follow_up = 0.065, 2.0, 2.07
    n = patients_for_survival(0.051, 30, rate=rate, horizon=horizon, mean_follow_up=follow_up).overall_risk

    def margin(patients: int) -> float:
        half = 1.959963984540054 * np.sqrt(rate / (follow_up * patients))
        risk = [1 - np.exp(-(rate + d) * horizon) for d in (-half, 0.0, half)]
        return max(risk[1] - risk[0], risk[2] - risk[1])

    assert margin(n) <= 0.05 < margin(n - 1)


def test_an_impossible_r2_is_refused() -> None:
    """More than the largest possible R2 at this prevalence cannot be anticipated."""
    with pytest.raises(PlanError, match="largest value"):
        patients_for_binary(0.7, 0.1, 5)
