"""Screens of many columns at once, beside the tests of one column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats import groups, roc
from isthmus.stats.univariate import screen

ONE = {
    "student_t": groups.student_t,
    "welch_t": groups.welch_t,
    "mann_whitney": groups.mann_whitney,
    "anova": groups.anova,
    "kruskal": groups.kruskal,
}


def drawn(n: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    y = (np.arange(n) % 3 == 0).astype(int)
    X = rng.normal(size=(n, 12)) + 0.8 * y[:, None] * rng.normal(size=12)
    return (np.round(X, 1) if ties else X), y


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [40, 170])
@pytest.mark.parametrize("test", ONE)
def test_every_column_gets_what_the_test_of_one_column_gives(test, n, ties):
    """Statistic and p of each column equal `stats.groups`, in exact and asymptotic ranges, with and without ties."""
    X, y = drawn(n, ties=ties)
    found = screen(X, y, test)
    one = [ONE[test](column[y == 0], column[y == 1]) for column in X.T]
    np.testing.assert_allclose(found.statistic, [c.statistic for c in one], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.p, [c.p for c in one], rtol=1e-9)


@pytest.mark.parametrize("test", ["anova", "kruskal"])
def test_three_classes(test):
    """Tests of several groups take more than two classes."""
    X, _ = drawn(60, ties=True)
    y = np.arange(60) % 3
    one = [ONE[test](*(column[y == c] for c in range(3))) for column in X.T]
    np.testing.assert_allclose(screen(X, y, test).p, [c.p for c in one], rtol=1e-9)


def test_auc_is_the_area_of_the_last_class():
    """The statistic of `auc` is the AUC of each column, its p that of Mann-Whitney."""
    X, y = drawn(50, ties=True)
    found = screen(X, y, "auc")
    np.testing.assert_allclose(found.statistic, [roc.auc(y, column) for column in X.T], rtol=1e-12)
    np.testing.assert_array_equal(found.p, screen(X, y, "mann_whitney").p)


def test_chi_square_of_categories_is_that_of_the_table():
    """A column of three codes and one of two give the chi-square of their table (Yates' for 2 x 2)."""
    rng = np.random.default_rng(3)
    y = np.arange(60) % 2
    X = np.column_stack([rng.integers(0, 3, 60), rng.integers(0, 2, 60)]).astype(float)
    one = [groups.chi_square(pd.crosstab(column, y)) for column in X.T]
    np.testing.assert_allclose(screen(X, y, "chi_square").p, [c.p for c in one], rtol=1e-10)


def test_chi_square_of_numbers_is_that_of_their_quarters():
    """A column with many values is cut at its quartiles."""
    X, y = drawn(80, ties=False)
    quarters = [np.searchsorted(np.quantile(column, [0.25, 0.5, 0.75]), column) for column in X.T]
    one = [groups.chi_square(pd.crosstab(quarter, y)) for quarter in quarters]
    np.testing.assert_allclose(screen(X, y, "chi_square").p, [c.p for c in one], rtol=1e-10)


@pytest.mark.parametrize("test", [*ONE, "auc", "chi_square"])
def test_a_constant_column_says_nothing(test):
    """p = 1, strength 0."""
    X, y = drawn(40, ties=False)
    X[:, 4] = 7.0
    found = screen(X, y, test)
    assert (found.p[4], found.strength[4]) == (1.0, 0.0)


@pytest.mark.parametrize("test", [*ONE, "auc", "chi_square"])
def test_the_strongest_column_is_the_one_with_signal(test):
    """Strength ranks the column that was moved first."""
    X, y = drawn(60, ties=False)
    X[:, 7] += 5 * y
    assert int(np.argmax(screen(X, y, test).strength)) == 7


def test_two_class_tests_refuse_three():
    """A t-test of three classes has no meaning."""
    with pytest.raises(TableError, match="compares two classes; there are 3"):
        screen(np.zeros((6, 1)), [0, 0, 1, 1, 2, 2], "welch_t")
