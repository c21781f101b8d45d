"""Transform and scale learned from training supervoxels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from isthmus.habitat.ited import dispersions
from isthmus.habitat.scaling import fit_scaling, yeo_johnson
from isthmus.habitat.settings import ItedSettings


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
def test_yeo_johnson_is_that_of_the_paper(power: float) -> None:
    """Against the four branches of the definition."""
    x = np.linspace(-3, 3, 25)
    expected = []
    for v in x:
        if v >= 0:
            expected.append(np.log(v + 1) if power == 0 else ((v + 1) ** power - 1) / power)
        else:
            expected.append(-np.log(1 - v) if power == 2 else -((1 - v) ** (2 - power) - 1) / (2 - power))
    np.testing.assert_allclose(yeo_johnson(x, power), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.lognormal(0, 0.9, (300, 1)),
        lambda rng: rng.gamma(2, 1, (300, 1)),
        lambda rng: rng.beta(8, 2, (300, 1)),
    ],
    ids=["log-normal", "gamma", "left-skewed beta"],
)
def test_no_skewness_is_left(draw: Callable[[np.random.Generator], np.ndarray]) -> None:
    """Whichever tail is the long one, and without turning the order of the values."""
    x = draw(np.random.default_rng(2))
    found = fit_scaling([x]).apply(x)
    assert abs(stats.skew(found[:, 0])) < 0.25 < abs(stats.skew(x[:, 0]))
    assert stats.spearmanr(x[:, 0], found[:, 0]).statistic == pytest.approx(1)


def test_differences_between_patients_do_not_bend_the_scale() -> None:
    """Normal patients whose means are skewed over the cohort: the power stays that of normal values."""
    rng = np.random.default_rng(6)
    tables = [mean + rng.normal(0, 1, (60, 1)) for mean in rng.lognormal(1, 1, 30)]
    scaling = fit_scaling(tables)
    bent = np.concatenate([scaling.apply(x) - scaling.apply(x).mean() for x in tables])[:, 0]
    assert abs(stats.skew(bent)) < 0.1


def test_the_cohort_has_mean_zero_and_variance_one() -> None:
    """After the transform, over all training supervoxels."""
    rng = np.random.default_rng(3)
    tables = [rng.gamma(2, 1 + p, (30, 2)) for p in range(8)]
    found = np.concatenate([fit_scaling(tables).apply(x) for x in tables])
    assert (*found.mean(axis=0), *found.std(axis=0)) == pytest.approx((0, 0, 1, 1))


def test_the_unit_of_a_feature_does_not_matter() -> None:
    """The same values in another unit come out the same."""
    tables = [np.random.default_rng(p).lognormal(0, 0.5, (40, 1)) for p in range(5)]
    other = [1e-4 * x for x in tables]
    np.testing.assert_allclose(fit_scaling(other).apply(other[0]), fit_scaling(tables).apply(tables[0]), atol=1e-6)


def test_constant_and_missing_features_are_left_as_they_are() -> None:
    """A feature without spread or without a value becomes 0 or NaN; nothing divides by zero."""
    x = np.column_stack([np.full(6, 4.0), np.full(6, np.nan), np.arange(6.0)])
    found = fit_scaling([x]).apply(x)
    assert [(found[:, 0] == 0).all(), np.isnan(found[:, 1]).all(), np.isfinite(found[:, 2]).all()] == [True] * 3


def test_skewness_is_not_sub_structure() -> None:
    """Homogeneous log-normal patients: "compat" finds components in most, after the transform hardly in any."""
    patients = np.random.default_rng(4).lognormal(0, 0.7, (100, 60))
    raw = dispersions(patients.T, np.ones(60), ItedSettings(variant="compat", resamples=0), seeds=range(100))
    scaling = fit_scaling([x[:, None] for x in patients[:30]])
    bent = np.column_stack([scaling.apply(x[:, None]) for x in patients])
    found = dispersions(bent, np.ones(60), ItedSettings(resamples=0), seeds=range(100), scaled=True)
    assert ((raw.components > 1).mean() > 0.7, (found.components > 1).mean() < 0.05) == (True, True)
