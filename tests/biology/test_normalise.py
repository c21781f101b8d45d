"""Normalisation: what each kind makes equal, and what it must not change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.biology.normalise import median_normalise, normalise, quantile_normalise
from isthmus.biology.vsn import fit_vsn
from isthmus.errors import TableError


def _gaps(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(20, 3, (60, 5)) + np.arange(5)
    values[rng.random(values.shape) < 0.2] = np.nan
    return values


def test_medians_become_one() -> None:
    """Every sample ends with the mean of the medians; differences within a sample stay."""
    values = _gaps()
    found = median_normalise(values)
    np.testing.assert_allclose(np.nanmedian(found, axis=0), np.nanmedian(values, axis=0).mean())
    np.testing.assert_allclose(found - values, np.broadcast_to(np.nanmedian(found - values, axis=0), values.shape)
                               + 0 * values, equal_nan=True)  # fmt: skip


def test_complete_samples_get_one_distribution() -> None:
    """The published example of four values in three samples (Bolstad's method on a table with a tie)."""
    values = np.array([[5, 4, 3], [2, 1, 4], [3, 4, 6], [4, 2, 8]], dtype=float)
    # means of the sorted columns: 2, 3, 14/3, 17/3; the tied 4s of sample 2 share their mean
    tied = (14 / 3 + 17 / 3) / 2
    wanted = [[17 / 3, tied, 2], [2, 2, 3], [3, tied, 14 / 3], [14 / 3, 3, 17 / 3]]
    np.testing.assert_allclose(quantile_normalise(values), wanted)


def test_missing_values_stay_missing_and_the_order_stays() -> None:
    """Within a sample the ranks of the values that are there do not change."""
    values = _gaps()
    found = quantile_normalise(values)
    for before, after in zip(values.T, found.T, strict=True):
        assert (np.isnan(before) == np.isnan(after)).all()
        there = ~np.isnan(before)
        assert (np.argsort(before[there]) == np.argsort(after[there])).all()


def test_vsn_of_logarithms_is_refused() -> None:
    """It chooses the transform itself."""
    with pytest.raises(TableError, match="raw intensities"):
        normalise(pd.DataFrame(_gaps()), "log2", "vsn")


# -- variance stabilisation --------------------------------------------------------------------------------------------

OFFSET, FACTOR = np.array([300.0, 800.0, 500.0, 100.0]), np.array([1.0, 2.5, 0.4, 1.3])


def _affine(proteins: int = 800, changed: int = 0, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Intensities of the model (offset + factor * abundance * e^noise + noise), and the true log2 differences to sample 1."""
    rng = np.random.default_rng(seed)
    abundance = np.exp(rng.normal(7, 1.5, proteins))[:, None] * np.ones(4)
    abundance[:changed, 2:] *= 3
    noisy = abundance * np.exp(rng.normal(0, 0.15, abundance.shape)) + rng.normal(0, 60, abundance.shape)
    return OFFSET + FACTOR * noisy, np.log2(abundance / abundance[:, :1])


def test_vsn_makes_one_variance_of_all_levels() -> None:
    """The spread of a protein over replicates does not depend on its level; that of logarithms does."""
    values, _ = _affine()
    level = values.mean(axis=1)
    low, high = level < np.quantile(level, 0.25), level > np.quantile(level, 0.75)
    ratios = []
    for one in (fit_vsn(values).apply(values), np.log2(np.maximum(values - OFFSET, 1))):
        spread = np.sqrt(((one - one.mean(axis=1, keepdims=True)) ** 2).mean(axis=1))
        ratios.append(spread[low].mean() / spread[high].mean())
    assert 0.85 < ratios[0] < 1.15 < ratios[1]


def test_vsn_finds_offsets_and_factors() -> None:
    """Ratios of the factors between samples, and where each sample's line meets zero, are those of the model."""
    found = fit_vsn(_affine(3000)[0])
    np.testing.assert_allclose(found.factor[0] / found.factor, FACTOR / FACTOR[0], rtol=0.03)
    zero = -found.offset / found.factor  # the intensity of abundance 0, but for one shift of all abundances
    common = ((zero - OFFSET) / FACTOR).mean()
    np.testing.assert_allclose((zero - OFFSET) / FACTOR, common, atol=12)


def test_vsn_does_not_care_how_a_sample_is_scaled() -> None:
    """Another gain of a detector gives the same result."""
    values, _ = _affine(300)
    scaled = values * np.array([1.0, 4.0, 0.25, 16.0])
    a, b = fit_vsn(values).apply(values), fit_vsn(scaled).apply(scaled)
    np.testing.assert_allclose(a - a[:, :1], b - b[:, :1], atol=1e-6)


def test_vsn_is_log2_for_large_values() -> None:
    """Where the offset is nothing beside the intensity, differences are log2 ratios."""
    values, _ = _affine(300)
    fitted = fit_vsn(values)
    large = np.array([[1e8] * 4, [8e8] * 4])
    np.testing.assert_allclose(np.diff(fitted.apply(large), axis=0), 3.0, atol=1e-4)


def test_vsn_is_not_steered_by_proteins_that_differ() -> None:
    """One protein in twelve three times as high in half of the samples: the others' differences stay near 0."""
    values, _ = _affine(1200, changed=100)
    found = fit_vsn(values, share=0.85).apply(values)[100:]
    assert abs((found[:, 2:].mean(axis=1) - found[:, :2].mean(axis=1)).mean()) < 0.02


def test_vsn_gradient_agrees_with_differences() -> None:
    """At the maximum no small step of any parameter raises the profile likelihood, written out plainly."""
    values, _ = _affine(200)
    fitted = fit_vsn(values, share=1.0)

    def likelihood(offset: np.ndarray, factor: np.ndarray) -> float:
        u = offset + factor * values
        h = np.arcsinh(u)
        squares = ((h - h.mean(axis=1, keepdims=True)) ** 2).sum()
        return float(-values.size / 2 * np.log(squares) + (np.log(factor) - 0.5 * np.log1p(u**2)).sum())

    best = likelihood(fitted.offset, fitted.factor)
    steps = np.concatenate([np.eye(4), -np.eye(4)]) * 0.02
    others = [likelihood(fitted.offset + step, fitted.factor) for step in steps]
    others += [likelihood(fitted.offset, fitted.factor * np.exp(step)) for step in steps]
    assert max(others) < best + 1e-4


def test_vsn_needs_proteins() -> None:
    """Two parameters a sample are not told from a handful of proteins."""
    with pytest.raises(TableError, match="42 proteins"):
        fit_vsn(np.ones((10, 3)))
