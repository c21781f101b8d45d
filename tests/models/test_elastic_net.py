"""The elastic net estimator and path."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from isthmus import models
from isthmus.errors import PlanError, TableError
from isthmus.models.settings import ModelSettings
from isthmus.stats import lasso
from isthmus.validate.nested import evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import build, design

ElasticNet = models.ESTIMATORS["elastic_net"]


@pytest.fixture(scope="module")
def r(shared_data):
    folder = shared_data / "statistics_r"
    return pd.read_csv(folder / "lasso.csv"), json.loads((folder / "expected.json").read_text())


def test_coefficients_are_those_of_glmnet_at_alpha_one_half(r):
    """alpha = 0.5, lambda = 0.05: every coefficient is glmnet's within 1e-6, zeros included."""
    table, expected = r
    names = table.columns[2:]
    model = ElasticNet(alpha=0.5, penalty=0.05).fit(table[names], table["y"])
    want = expected["glmnet_enet_a0.5_l0.05"]
    np.testing.assert_allclose(
        [model.intercept_, *model.coef_], [want["(Intercept)"], *(want.get(name, 0.0) for name in names)], atol=1e-6
    )


def test_ridge_is_that_of_glmnet(r):
    """alpha = 0, lambda = 0.1: intercept and the first five coefficients are glmnet's within 1e-6."""
    table, expected = r
    model = ElasticNet(alpha=0.0, penalty=0.1).fit(table.iloc[:, 2:], table["y"])
    np.testing.assert_allclose(
        [model.intercept_, *model.coef_[:5]], list(expected["glmnet_ridge_l0.1"].values()), atol=1e-6
    )


@pytest.mark.parametrize(("rule", "key"), [("min", "lambda_min"), ("1se", "lambda_1se")])
@pytest.mark.parametrize("measure", ["deviance", "auc"])
def test_the_rules_are_those_of_cv_glmnet(r, rule, key, measure):
    """With R's folds `rule` finds cv.glmnet's lambda.min and lambda.1se, by deviance and by AUC."""
    table, expected = r
    X, y, folds = table.iloc[:, 2:].to_numpy(), table["y"].to_numpy(), table["fold"].to_numpy()
    model = models.ESTIMATORS["lasso"](rule=rule, measure=measure, n_lambdas=100)
    grid = model.path_grid(X, y)
    risks = np.empty((len(y), len(grid)))
    for label in np.unique(folds):
        held = folds == label
        risks[held] = model.path_risks(X[~held], y[~held], X[held], grid)
    index, _ = model.path_choice(grid, risks, y, folds)
    assert grid[index] == pytest.approx(expected[f"cv_glmnet_{measure}"][key], abs=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize(("n", "p"), [(40, 10), (30, 80)])
def test_every_solution_meets_the_optimality_conditions(n, p, alpha):
    """The subgradient of the objective vanishes at each penalty: the minimum, by definition."""
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, p))
    y = (X[:, 0] + rng.normal(size=n) > 0).astype(int)
    spread = X.std(0)
    Z = (X - X.mean(0)) / spread
    grid = lasso.lambda_sequence(X, y, count=12, ratio=0.05, alpha=alpha)
    path = lasso.fit_path(X, y, grid, alpha=alpha)
    worst = 0.0
    for index, penalty in enumerate(grid):
        beta = path.coefficients[index] * spread
        gradient = Z.T @ (path.probabilities(X)[:, index] - y) / n + penalty * (1 - alpha) * beta
        on = np.abs(gradient + alpha * penalty * np.sign(beta))
        off = np.maximum(np.abs(gradient) - alpha * penalty, 0)
        worst = max(worst, np.where(beta != 0, on, off).max())
    assert worst < 1e-6


def test_a_small_alpha_and_ridge_agree():
    """alpha = 1e-9 (active set) and alpha = 0 (space of the rows) are two roads to one answer."""
    made = design(np.random.default_rng(1), n=40, p=60)
    X, y = made.X.to_numpy(), made.events(np.ones(40, dtype=bool))
    near, ridge = (lasso.fit_path(X, y, [0.1], alpha=alpha).coefficients for alpha in (1e-9, 0.0))
    np.testing.assert_allclose(near, ridge, atol=1e-6)


def test_alpha_one_is_the_lasso():
    """The elastic net with alpha = 1 has the LASSO's bits."""
    made = design(np.random.default_rng(1), n=60, p=20)
    y = made.events(np.ones(60, dtype=bool))
    net, plain = ElasticNet(alpha=1.0).fit(made.X, y), models.ESTIMATORS["lasso"]().fit(made.X, y)
    assert np.array_equal(net.coef_, plain.coef_)


def test_several_alphas_are_tried_inside_the_training_rows():
    """`tuning = { alpha = [...] }` chooses alpha and penalty together, and logs every trial."""
    made = design(np.random.default_rng(2), n=60, p=8)
    spec = ModelSettings(
        name="m", estimator="elastic_net", settings={"n_lambdas": 6}, tuning={"alpha": [0.2, 0.5, 1.0]}
    )
    split = outer_splits(made.outcome.values, folds=3, repeats=1, seed=1)[0]
    result = evaluate_fold(
        spec, made, split, build=build, settings=ValidateSettings(folds=3, repeats=1, inner_folds=3), seed=5
    )
    assert (set(result.tuned), len(result.trials)) == ({"alpha", "penalty"}, 3 * 7)


def test_alpha_out_of_range_is_refused():
    """alpha above 1 is an error of the plan, and of the pure function."""
    with pytest.raises(PlanError, match=r"estimator 'elastic_net': alpha = 1.5; expected a number from 0 to 1"):
        ElasticNet(alpha=1.5).check_settings()
    with pytest.raises(TableError, match=r"alpha = 1.5"):
        lasso.fit_path(np.eye(4), [0, 1, 0, 1], [0.1], alpha=1.5)
