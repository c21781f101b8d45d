"""Distance of a new patient from those of training: the leave-one-out distances against refits, and whether shares are fair."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.stats.novelty import fit_novelty


def _drawn(n: int, p: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, p)) @ rng.normal(size=(p, p))


@pytest.mark.parametrize(("n", "p", "rows"), [(60, 5, 1), (60, 5, 2), (30, 60, 1), (30, 60, 3)])
def test_leaving_out_equals_computing_again(n, p, rows):
    """The distances by the low-rank update equal those from mean and covariance of the other patients' rows, inverted."""
    X, who = _drawn(n, p), np.arange(n) // rows
    found = fit_novelty(X, who)
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = []
    for patient in np.unique(who):
        others, own = z[who != patient], z[who == patient]
        centre = others.mean(axis=0)
        covariance = (others - centre).T @ (others - centre) / len(others)
        shrunk = (1 - found.shrinkage) * covariance + found.shrinkage * np.eye(p)
        away = own - centre
        expected.append(np.mean(np.sum(away @ np.linalg.inv(shrunk) * away, axis=1)))
    assert found.distances == pytest.approx(np.sort(np.sqrt(np.array(expected) / p)), rel=1e-10)


def test_distance_is_mahalanobis():
    """The distance of a new row equals the textbook formula with the shrunk covariance of all training rows."""
    X, new = _drawn(50, 6), _drawn(10, 6, seed=3)
    found = fit_novelty(X)
    z, away = (X - X.mean(axis=0)) / X.std(axis=0), (new - X.mean(axis=0)) / X.std(axis=0)
    shrunk = (1 - found.shrinkage) * z.T @ z / 50 + found.shrinkage * np.eye(6)
    expected = np.sqrt(np.einsum("ij,jk,ik->i", away, np.linalg.inv(shrunk), away) / 6)
    assert found.distance(new) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("n", "p"), [(100, 5), (50, 80)])
def test_shares_are_fair_to_new_patients(n, p):
    """Of new patients of the same population about 1 in 10 has a share of at most 0.1, with fewer patients than columns too."""
    rates = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        mix = rng.normal(size=(p, p))
        train, new = (np.exp(0.4 * rng.normal(size=(size, p))) @ mix for size in (n, 200))
        found = fit_novelty(train)
        rates.append(np.mean(found.share(found.distance(new)) <= 0.1))
    assert 0.05 < np.mean(rates) < 0.16


def test_own_covariance_would_flatter():
    """Without leaving them out, training patients look nearer than new ones: the reason for the leaving out."""
    found = fit_novelty(train := _drawn(40, 60))
    assert np.sort(found.distance(train)).max() < np.median(found.distances)


def test_a_patient_from_elsewhere_is_rare():
    """One inside every single range but against the correlation is found; so is one far outside."""
    rng = np.random.default_rng(1)
    first = rng.normal(size=200)
    X = np.column_stack([first, first + 0.1 * rng.normal(size=200)])
    found = fit_novelty(X)
    assert found.share(found.distance([[1.5, -1.5], [0.5, 0.5]])).tolist() == pytest.approx([1 / 201, 0.9], abs=0.35)
    assert bool(found.share(found.distance([[1.5, -1.5]]))[0] <= found.rare)


def test_what_is_missing_counts_as_the_mean():
    """A missing value adds nothing to the distance, a constant column takes no part."""
    X = np.column_stack([_drawn(30, 2), np.full(30, 7.0)])
    found = fit_novelty(X)
    middle = X.mean(axis=0)
    assert found.distance([[np.nan, middle[1], 99.0]]) == pytest.approx([0.0], abs=1e-12)


def test_too_few_patients_teach_nothing():
    """Four patients, or columns that do not vary: no novelty, rather than one that means nothing."""
    assert fit_novelty(_drawn(4, 2)) is None
    assert fit_novelty(np.ones((30, 2))) is None
