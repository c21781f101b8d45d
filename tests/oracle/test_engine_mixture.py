"""The engine's mixtures against plain loops, on values drawn in several shapes."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus import _core
from isthmus.habitat.ited import dispersions
from isthmus.habitat.settings import ItedSettings
from oracle import mixture

SHAPES = ("normal", "skewed", "two groups", "three groups", "ties")


def drawn(shape: str, seed: int, n: int = 26) -> np.ndarray:
    rng = np.random.default_rng([seed, SHAPES.index(shape)])
    if shape == "normal":
        return rng.normal(3, 2, n)
    if shape == "skewed":
        return rng.lognormal(0, 0.8, n)
    if shape == "ties":
        return np.round(rng.normal(0, 1, n))
    groups = 2 if shape == "two groups" else 3
    return rng.normal(0, 1, n) + 6 * (np.arange(n) % groups)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_compat(shape: str, seed: int) -> None:
    """The rule of the reference work: the same number of components and the same dispersion."""
    values = drawn(shape, seed)
    found = dispersions(values[:, None], np.ones(values.size), ItedSettings(variant="compat", resamples=0), seeds=[1])
    assert (found.value[0], found.components[0]) == pytest.approx(mixture.compat(values.tolist()), rel=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_weighted(shape: str, seed: int) -> None:
    """The default, with supervoxels of unequal size."""
    values, sizes = drawn(shape, seed), np.random.default_rng(seed).uniform(50, 500, 26)
    found = dispersions(values[:, None], sizes, ItedSettings(resamples=0), seeds=[1])
    expected = mixture.weighted(values.tolist(), sizes.tolist())
    assert (found.value[0], found.components[0]) == pytest.approx(expected, rel=1e-8)


def many() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(5)
    rows = rng.normal(0, 1, (12, 45)) + 5 * (np.arange(45) % 3 == 0) * rng.uniform(0, 1, (12, 1))
    return rows, rng.uniform(1, 9, (12, 45)), np.full(12, 45.0), np.full(12, 1e-3), np.arange(12, dtype=np.uint64)


@pytest.mark.parametrize("instructions", _core.instruction_sets())
def test_every_instruction_set_and_any_number_of_threads_give_the_same_bits(instructions: str) -> None:
    """Dispersions, intervals and mixtures, to the last bit."""
    settings = _core.MixtureSettings()
    settings.resamples = 40
    base = _core.dispersions(*many(), settings, 1, "base")
    np.testing.assert_array_equal(_core.dispersions(*many(), settings, 3, instructions), base)


def test_the_number_of_components_agrees_with_scikit_learn_where_groups_are_apart() -> None:
    """scikit-learn's mixture with the reference work's settings: same k, same dispersion of the means."""
    from sklearn.mixture import GaussianMixture

    values = drawn("three groups", 3, 60)
    fits = [
        GaussianMixture(k, covariance_type="diag", n_init=3, random_state=42, reg_covar=1e-6).fit(values[:, None])
        for k in range(1, 5)
    ]
    best = min(fits, key=lambda f: f.bic(values[:, None]))
    found = dispersions(values[:, None], np.ones(60), ItedSettings(variant="compat", resamples=0), seeds=[1])
    assert (found.components[0], found.value[0]) == pytest.approx((best.n_components, best.means_.std()), rel=2e-3)
