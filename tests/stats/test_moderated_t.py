"""Moderated t beyond limma's example: its limits and its degenerate inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats.groups import student_t
from isthmus.stats.moderated_t import fit_rows, moderated_contrast, moderated_t


def _table(rows: int, spread: np.ndarray, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(rows, 14)) * spread[:, None]), np.repeat([0, 1], 7)


def test_equal_variances_give_an_infinite_prior() -> None:
    """Rows that are copies of one another in their spread share one variance."""
    base = np.random.default_rng(3).normal(size=14)
    table = pd.DataFrame([base + shift for shift in np.arange(20.0)])
    assert np.isinf(moderated_t(table, np.repeat([0, 1], 7)).prior_df)


def test_every_variance_is_shrunk_towards_the_prior() -> None:
    """The moderated t lies between Student's t and the t of the prior variance."""
    table, group = _table(200, np.exp(np.random.default_rng(2).normal(0, 0.5, 200)))
    found = moderated_t(table, group)
    plain = np.array([student_t(row[group == 1], row[group == 0]).statistic for row in table.to_numpy()])
    prior = found.table["difference"] / np.sqrt(found.prior_variance * 2 / 7)
    low, high = np.minimum(np.abs(plain), np.abs(prior)), np.maximum(np.abs(plain), np.abs(prior))
    assert ((low <= np.abs(found.table["t"])) & (np.abs(found.table["t"]) <= high)).all()


def test_a_row_without_one_group_has_no_test() -> None:
    """A measurement missing in a whole group is NaN; its variance within the other informs the prior, as in limma."""
    table, group = _table(30, np.ones(30))
    broken = pd.concat([table, 5 * table.iloc[:1].set_axis([99]).where(group[None, :] == 1)])
    found = moderated_t(broken, group)
    assert found.table.loc[99, ["difference", "t", "p", "q"]].isna().all()
    assert found.prior_variance != moderated_t(table, group).prior_variance


def _naive(values: np.ndarray, design: np.ndarray, contrast: np.ndarray) -> tuple[float, float]:
    """Estimate and standard error of one row by the normal equations, over the patients that have it."""
    there = np.isfinite(values)
    x, y = design[there], values[there]
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    variance = ((y - x @ beta) ** 2).sum() / (len(y) - x.shape[1])
    return float(contrast @ beta), float(np.sqrt(variance * contrast @ inverse @ contrast))


def test_covariates_and_missing_values_are_fitted_row_by_row() -> None:
    """Estimate and unscaled error of every row are those of its own normal equations over the patients that have it."""
    rng = np.random.default_rng(4)
    design = np.column_stack([np.repeat(np.eye(3), 5, axis=0), rng.normal(size=15)])
    values, contrast = rng.normal(size=(40, 15)), np.array([-1.0, 0.0, 1.0, 0.0])
    values[rng.random(values.shape) < 0.15] = np.nan
    fits = fit_rows(values, design, contrast)
    wanted = np.array([_naive(row, design, contrast) for row in values])
    np.testing.assert_allclose(np.column_stack([fits.estimate, np.sqrt(fits.variance) * fits.unscaled]), wanted)


def test_a_row_without_residual_freedom_is_judged_by_the_prior() -> None:
    """One value a group: the spread is the prior's, and so are the degrees of freedom."""
    table, group = _table(60, np.exp(np.random.default_rng(2).normal(0, 0.5, 60)))
    table.iloc[0, [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]] = np.nan
    found = moderated_t(table, group)
    np.testing.assert_allclose(found.table.loc[0, ["df", "spread"]], [found.prior_df, np.sqrt(found.prior_variance)])


def test_a_contrast_that_cannot_be_told_is_missing() -> None:
    """A group that is a batch in other words has no estimate, instead of half of the batch's."""
    table, group = _table(20, np.ones(20))
    design = np.column_stack([np.ones(14), group, group])
    assert np.isnan(fit_rows(table.to_numpy(), design, [0.0, 1.0, 0.0]).estimate).all()


def test_a_trend_follows_the_level() -> None:
    """Where the spread falls with the level, so does the prior variance; and the spline passes through what is linear in the logarithm."""
    rng = np.random.default_rng(7)
    level = np.linspace(0, 6, 600)
    table = pd.DataFrame(level[:, None] + rng.normal(size=(600, 14)) * np.exp(-level / 4)[:, None])
    found = moderated_contrast(table, np.column_stack([np.ones(14), np.repeat([0, 1], 7)]), [0.0, 1.0], trend=True)
    np.testing.assert_allclose(np.log(found.trend), -level / 2, atol=0.3)


def test_a_group_of_the_wrong_length_is_refused() -> None:
    """One group label per patient."""
    table, _ = _table(5, np.ones(5))
    with pytest.raises(TableError, match="both groups need patients"):
        moderated_t(table, [0, 1])
