"""Shapley values against the definition, summed over every set of columns."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from isthmus import models
from isthmus.stats.shapley import TreeForm, sampled_shapley, tree_shapley
from validate.drawn import QUICK

P = 4


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, P)).round(1)  # with ties
    y = (X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=40) > 0).astype(int)
    return X, y, rng.normal(size=(5, P)).round(1)


def by_definition(output, rows: np.ndarray, background: np.ndarray) -> np.ndarray:
    """The mean marginal contribution of each column over all orders: sums over the 2^p sets."""

    def worth(row: np.ndarray, given: tuple[int, ...]) -> float:
        mixed = background.copy()
        mixed[:, list(given)] = row[list(given)]
        return float(output(mixed).mean())

    p = rows.shape[1]
    values = np.zeros(rows.shape)
    for i, row in enumerate(rows):
        for column in range(p):
            others = [c for c in range(p) if c != column]
            for size in range(p):
                weight = factorial(size) * factorial(p - size - 1) / factorial(p)
                for given in combinations(others, size):
                    values[i, column] += weight * (worth(row, (*given, column)) - worth(row, given))
    return values


def fitted(name: str, X: np.ndarray, y: np.ndarray):
    return models.ESTIMATORS[name](**QUICK.get(name, {})).fit(X, y)


def log_odds(model):
    def output(values: np.ndarray) -> np.ndarray:
        both = model.predict_proba(values)
        return np.log(both[:, 1] / both[:, 0])

    return output


@pytest.mark.parametrize("name", ["decision_tree", "random_forest", "extra_trees", "lightgbm", "xgboost", "catboost"])
def test_values_of_trees_are_those_of_the_definition(name, data):
    """Exact for every kind of tree, with interactions, ties and repeated questions; XGBoost to its single precision."""
    X, y, rows = data
    model = fitted(name, X, y)
    form = model.tree_form()
    output = log_odds(model) if form.scale == "log odds" else lambda values: model.predict_proba(values)[:, 1]
    tolerance = 1e-5 if name == "xgboost" else 1e-12
    np.testing.assert_allclose(tree_shapley(form, rows, X), by_definition(output, rows, X), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ["lasso", "elastic_net", "logistic", "firth", "naive_bayes"])
def test_values_of_sums_of_columns_are_those_of_the_definition(name, data):
    """A term minus its mean over all training rows, for linear models and naive Bayes."""
    X, y, rows = data
    model = fitted(name, X, y)
    ours = model.additive_parts(rows) - model.additive_parts(X).mean(axis=0)
    np.testing.assert_allclose(ours, by_definition(log_odds(model), rows, X), rtol=0, atol=1e-9)


def test_a_value_at_the_cut_of_xgboost_goes_right():
    """XGBoost goes left below the cut, the other libraries at it too: rows that lie on a cut add up."""
    X = np.repeat([[0.0], [1.0], [2.0], [3.0]], 10, axis=0)
    y = np.repeat([0, 0, 1, 1], 10)
    for name in ("xgboost", "lightgbm"):
        model = fitted(name, X, y)
        cuts = np.unique(model.tree_form().threshold)[:, None]
        rows = np.vstack([cuts, np.nextafter(cuts.astype(np.float32), np.float32(9)).astype(float)])
        whole = log_odds(model)(X).mean() + tree_shapley(model.tree_form(), rows, X).sum(axis=1)
        np.testing.assert_allclose(whole, log_odds(model)(rows), atol=1e-5)


def test_a_leaf_no_row_can_reach_has_no_say():
    """Bounds that exclude one another (a question asked twice) close a leaf."""
    form = TreeForm(
        roots=np.array([0], np.int32), feature=np.array([0, 0, -1, -1, -1], np.int32),
        threshold=np.array([0.0, 1.0, 0.0, 0.0, 0.0]), left=np.array([1, 3, -1, -1, -1], np.int32),
        right=np.array([2, 4, -1, -1, -1], np.int32), value=np.array([0.0, 0.0, 1.0, 2.0, 100.0]),
        unit=np.ones(1), single=False, scale="risk",
    )  # fmt: skip
    assert tree_shapley(form, np.array([[0.5]]), np.array([[-0.5]])) == pytest.approx(np.array([[-1.0]]))


def test_sampled_values_converge_to_the_definition(data):
    """With many orders a support vector machine's values are those of the definition."""
    X, y, rows = data
    model = fitted("svm", X, y)

    def output(values):
        return model.predict_proba(values)[:, 1]

    found = sampled_shapley(output, rows[:3], X, np.full(len(X), 1 / len(X)), columns=np.arange(P), passes=15, seed=1)
    np.testing.assert_allclose(found, by_definition(output, rows[:3], X), atol=0.02)


def test_sampled_values_add_up_after_one_pass(data):
    """Additivity does not hang on the number of orders."""
    X, y, rows = data
    model = fitted("mlp", X, y)

    def output(values):
        return model.predict_proba(values)[:, 1]

    weights = np.arange(1.0, 41.0) / np.arange(1.0, 41.0).sum()
    found = sampled_shapley(output, rows, X, weights, columns=np.arange(P), passes=1, seed=1)
    np.testing.assert_allclose(output(X) @ weights + found.sum(axis=1), output(rows), atol=1e-13)
