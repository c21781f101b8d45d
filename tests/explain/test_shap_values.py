"""Shapley values of every estimator: additivity, and the library shap where it computes the same game."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus import models
from isthmus.explain.shap_values import centres, shap_values
from validate.drawn import QUICK

ALL = sorted(models.estimators_of("binary"))
EXACT = {"lasso", "elastic_net", "logistic", "firth", "naive_bayes"}
TREES = {"decision_tree", "random_forest", "extra_trees", "lightgbm", "xgboost", "catboost"}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 6))
    y = (X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=50) > 0).astype(int)
    return X, y, rng.normal(size=(8, 6))


def fitted(name, X, y):
    return models.ESTIMATORS[name](**QUICK.get(name, {})).fit(X, y)


@pytest.mark.parametrize("name", ALL)
def test_values_and_base_add_up_to_the_prediction(name, data):
    """For every estimator base + sum of values is the output of each held-out row, and the error that is printed says so."""
    X, y, rows = data
    found = shap_values(fitted(name, X, y), rows, X, clusters=5, passes=1, seed=2)
    risk = models.ESTIMATORS[name](**QUICK.get(name, {})).fit(X, y).predict_proba(rows)[:, 1]
    output = np.log(risk / (1 - risk)) if found.scale == "log odds" else risk
    tolerance = 1e-5 if name == "xgboost" else 1e-9
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), output, atol=tolerance)
    assert found.error < tolerance


@pytest.mark.parametrize("name", ALL)
def test_the_method_says_whether_it_is_exact(name, data):
    """Sums of columns and of trees are exact, the others say how they were sampled."""
    X, y, rows = data
    method = shap_values(fitted(name, X, y), rows[:1], X, clusters=5, passes=1).method
    assert method.startswith("exact") == (name in EXACT | TREES)


def test_linear_values_are_the_coefficient_times_the_distance_from_the_mean_of_all_rows(data):
    """phi_j = beta_j (x_j - mean of every training row), not of a hundred of them."""
    X, y, rows = np.tile(data[0], (5, 1)), np.tile(data[1], 5), data[2]
    X = X + np.random.default_rng(1).normal(size=X.shape)
    model = fitted("logistic", X, y)
    np.testing.assert_allclose(
        shap_values(model, rows, X).values, model.coef_ * (rows - X.mean(axis=0)), rtol=0, atol=1e-12
    )


def test_centres_are_values_that_occur(data):
    """Every coordinate of a k-means centre is that of some training row, and the shares add up to 1."""
    middle, share = centres(data[0], 7, seed=1)
    assert all(np.isin(middle[:, column], data[0][:, column]).all() for column in range(6))
    assert share.sum() == pytest.approx(1.0)


def test_there_are_no_more_centres_than_different_rows():
    """Repeated rows do not make k-means invent centres."""
    assert len(centres(np.repeat([[0.0], [1.0]], 10, axis=0), 20, seed=1)[0]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random_forest", "lightgbm", "xgboost"])
def test_values_of_trees_are_those_of_the_library_shap(name, data):
    """TreeExplainer, interventional against all training rows, gives the same values (in its single precision)."""
    shap = pytest.importorskip("shap")
    X, y, rows = data
    model = fitted(name, X, y)
    if name == "random_forest":
        from sklearn.ensemble import RandomForestClassifier

        theirs = RandomForestClassifier(10, min_samples_leaf=2, random_state=0).fit(X, y)
    else:
        theirs = model._booster
    explainer = shap.TreeExplainer(theirs, shap.maskers.Independent(X, max_samples=len(X)))
    values = np.asarray(explainer.shap_values(rows))
    values = values[..., 1] if values.ndim == 3 else values
    np.testing.assert_allclose(shap_values(model, rows, X).values, values, rtol=0, atol=1e-5)
