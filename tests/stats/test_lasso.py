"""The LASSO path and the choice of its penalty."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats import lasso


@pytest.fixture(scope="module")
def table(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data / "statistics_r" / "lasso.csv")


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict:
    return json.loads((shared_data / "statistics_r" / "expected.json").read_text())


def test_lambda_max_is_that_of_glmnet(table, expected):
    """The smallest penalty with an empty model equals glmnet's to 1e-10."""
    found = lasso.lambda_max(table.iloc[:, 2:], table["y"])
    assert found == pytest.approx(expected["glmnet_path"]["lambda_max"], abs=1e-10)


@pytest.mark.parametrize("penalty", ["0.1", "0.05", "0.02"])
def test_coefficients_are_those_of_glmnet(table, expected, penalty):
    """Coefficients and intercept equal glmnet's within 2e-6, zeros included."""
    names = table.columns[2:]
    path = lasso.fit_path(table[names], table["y"], [float(penalty)])
    reference = expected["glmnet_path"]["at"][penalty]
    want = [reference["(Intercept)"], *(reference.get(name, 0.0) for name in names)]
    np.testing.assert_allclose([path.intercepts[0], *path.coefficients[0]], want, atol=2e-6)


@pytest.mark.parametrize("which", ["lambda_min", "lambda_1se"])
def test_chosen_penalties_are_those_of_cv_glmnet(table, expected, which):
    """With R's folds the two penalties are cv.glmnet's."""
    choice = lasso.cross_validate_lambda(table.iloc[:, 2:], table["y"], table["fold"])
    assert getattr(choice, which) == pytest.approx(expected["cv_glmnet_deviance"][which], abs=1e-10)


def test_cross_validated_deviance_is_that_of_cv_glmnet(table, expected):
    """Mean deviance and its standard error at the minimum agree within 1e-4 (cv.glmnet interpolates between penalties)."""
    choice = lasso.cross_validate_lambda(table.iloc[:, 2:], table["y"], table["fold"])
    reference = expected["cv_glmnet_deviance"]
    found = [choice.mean[choice.index_min], choice.standard_error[choice.index_min]]
    np.testing.assert_allclose(found, [reference["cvm_at_min"], reference["cvsd_at_min"]], atol=1e-4)


@pytest.mark.parametrize(("n", "p"), [(40, 10), (30, 80)])
def test_every_solution_meets_the_optimality_conditions(n, p):
    """At each penalty the gradient is -lambda*sign on active columns and within lambda elsewhere: the minimum, by definition."""
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, p))
    y = (X[:, 0] + rng.normal(size=n) > 0).astype(int)
    Z = (X - X.mean(0)) / X.std(0)
    grid = lasso.lambda_sequence(X, y, count=12, ratio=0.05)
    path = lasso.fit_path(X, y, grid)
    worst = 0.0
    for index, penalty in enumerate(grid):
        gradient = Z.T @ (path.probabilities(X)[:, index] - y) / n
        beta = path.coefficients[index]
        slack = np.where(
            beta != 0, np.abs(gradient + penalty * np.sign(beta)), np.maximum(np.abs(gradient) - penalty, 0)
        )
        worst = max(worst, slack.max())
    assert worst < 1e-6


def test_a_copy_of_a_column_does_not_stop_the_solver():
    """Two identical columns: a finite solution, and predictions as with one of them."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=50)
    y = (x + rng.normal(size=50) > 0).astype(int)
    one = lasso.fit_path(x[:, None], y, [0.05]).probabilities(x[:, None])
    two = lasso.fit_path(np.c_[x, x], y, [0.05]).probabilities(np.c_[x, x])
    np.testing.assert_allclose(one, two, atol=1e-7)


def test_a_constant_column_gets_no_coefficient():
    """A column without variance has the coefficient 0."""
    rng = np.random.default_rng(4)
    X = np.c_[rng.normal(size=40), np.full(40, 7.0)]
    y = (X[:, 0] > 0).astype(int)
    assert lasso.fit_path(X, y, [0.01]).coefficients[0, 1] == 0.0


def test_perfect_separation_ends_with_finite_coefficients():
    """Separated classes: the path stops when the deviance is explained, without overflow."""
    x = np.r_[np.linspace(-2, -1, 20), np.linspace(1, 2, 20)][:, None]
    y = np.r_[np.zeros(20), np.ones(20)]
    path = lasso.fit_path(x, y, lasso.lambda_sequence(x, y))
    assert np.isfinite(path.coefficients).all()


def test_one_standard_error_rule_takes_the_sparser_model():
    """Of penalties within one standard error of the best, the largest is chosen."""
    deviance = np.array([[1.30, 1.10, 1.00, 1.20], [1.30, 0.90, 0.98, 1.20], [1.30, 1.12, 0.99, 1.20]])
    choice = lasso.choose_lambda([0.4, 0.3, 0.2, 0.1], deviance, [10, 10, 10])
    assert (choice.lambda_min, choice.lambda_1se) == (0.2, 0.2)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0], [np.nan]], [0, 1], "missing or infinite"),
        ([[1.0], [2.0]], [1, 1], "both must occur"),
        ([[1.0], [2.0]], [0, 1, 1], "do not match"),
    ],
)
def test_bad_input_is_refused(X, y, message):
    """Missing values, one class, and lengths that differ are errors that say so."""
    with pytest.raises(TableError, match=message):
        lasso.fit_path(X, y, [0.1])


def test_no_variation_at_all_is_an_error():
    """With constant columns only there is no path, and the message says why."""
    with pytest.raises(TableError, match="no column is related"):
        lasso.lambda_sequence(np.ones((10, 2)), [0, 1] * 5)
