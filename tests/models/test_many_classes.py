"""Estimators and selection of three classes or more: against the libraries, row by row, and through a model file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from isthmus import models, select
from isthmus.errors import ModelFileError
from isthmus.models.arrays import arrays_to_bytes
from isthmus.models.extras import optional
from validate.drawn import QUICK

MANY = ("xgboost", "svm", "mlp", "multinomial", "random_forest", "lightgbm")


@pytest.fixture(scope="module")
def data() -> tuple[pd.DataFrame, np.ndarray]:
    """Three classes along the first two of six columns."""
    rng = np.random.default_rng(7)
    X = pd.DataFrame(rng.normal(size=(150, 6)), columns=[*"abcdef"])
    score = X["a"] + 0.7 * X["b"] + 0.6 * rng.normal(size=150)
    return X, np.digitize(score, np.quantile(score, [0.4, 0.75]))


def fitted(name: str, data: tuple[pd.DataFrame, np.ndarray]) -> models.estimator.Estimator:
    return models.ESTIMATORS[name](**QUICK.get(name, {})).fit(*data)


@pytest.mark.parametrize("name", MANY)
def test_probabilities_rank_new_rows(name, data):
    """Each class is told from the rest on rows that were not trained on."""
    X, y = data
    model = fitted(name, (X[:100], y[:100]))
    p = model.predict_proba(X[100:])
    assert roc_auc_score(y[100:], p, multi_class="ovr") > 0.7


@pytest.mark.parametrize("name", MANY)
def test_probabilities_add_up_to_one(name, data):
    """A row has one class."""
    p = fitted(name, data).predict_proba(data[0])
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", MANY)
def test_a_row_alone_gets_the_bits_of_the_batch(name, data):
    """No other row changes a probability."""
    model = fitted(name, data)
    alone = np.vstack([model.predict_proba(data[0].iloc[[row]]) for row in range(10)])
    assert np.array_equal(alone, model.predict_proba(data[0])[:10])


@pytest.mark.parametrize("name", MANY)
def test_the_files_hold_the_model(name, data):
    """Read again, the same bits for every class."""
    model = fitted(name, data)
    again = type(model).from_files(model.get_params(deep=False), model.to_files()).restore([*"abcdef"])
    assert np.array_equal(again.predict_proba(data[0]), model.predict_proba(data[0]))


@pytest.mark.parametrize("name", ["xgboost", "svm", "mlp"])
def test_columns_with_signal_weigh_most(name, data):
    """The two that make the classes come before the four that do not."""
    assert set(np.argsort(-fitted(name, data).contributions())[:2]) == {0, 1}


def test_shares_of_xgboost_are_its_own(data):
    """Those of XGBClassifier with the same settings, to single precision."""
    xgboost = optional("xgboost", "xgboost", "ml")
    ours = models.ESTIMATORS["xgboost"](rounds=20).fit(*data)
    theirs = xgboost.XGBClassifier(
        n_estimators=20, learning_rate=0.05, max_depth=3, min_child_weight=2.0, colsample_bytree=0.3, reg_lambda=1.0,
        tree_method="exact", random_state=0, n_jobs=1,
    ).fit(*data)  # fmt: skip
    np.testing.assert_allclose(ours.predict_proba(data[0]), theirs.predict_proba(data[0]), rtol=0, atol=1e-6)


def test_the_machines_are_one_class_against_the_rest(data):
    """The decision values of each class are scikit-learn's one-versus-rest."""
    ours = models.ESTIMATORS["svm"](gamma=0.2).fit(*data)
    theirs = OneVsRestClassifier(SVC(gamma=0.2, tol=1e-5)).fit(*data)
    values = np.ascontiguousarray(data[0].to_numpy())
    found = np.column_stack([one.decision(values) for one in ours.each_])
    np.testing.assert_allclose(found, theirs.decision_function(data[0]), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "forge"),
    [
        ("svm", lambda files: dict(list(files.items())[:2])),
        ("mlp", lambda files: {"mlp.npz": _mlp_with_a_class_less()}),
        (
            "xgboost",
            lambda files: {"xgboost.json": files["xgboost.json"].replace(b'"tree_info":[0,1', b'"tree_info":[0,7')},
        ),
    ],
)
def test_files_that_do_not_fit_together_are_refused(name, forge, data):
    """A damaged file never becomes a model."""
    model = fitted(name, data)
    with pytest.raises(ModelFileError, match="fit together"):
        type(model).from_files(model.get_params(deep=False), forge(model.to_files()))


def _mlp_with_a_class_less() -> bytes:
    return arrays_to_bytes(
        hidden=np.zeros((8, 6)), bias=np.zeros(8), output=np.zeros(16), scalars=np.zeros(4), importance=np.zeros(6)
    )


def test_lasso_keeps_what_any_class_needs(data):
    """The union of the LASSO of each class against the rest, here with the first column of each path."""
    X, y = data
    union = set()
    for label in range(3):
        union |= set(select.STEPS["lasso"](k=1).fit(X, (y == label).astype(int)).get_feature_names_out())
    assert set(select.STEPS["lasso"](k=1).fit(X, y).get_feature_names_out()) == union


def test_lasso_finds_the_columns_of_three_classes(data):
    """Both columns with signal stay, at a penalty for each class."""
    step = select.STEPS["lasso"](rule="1se").fit(*data)
    assert {"a", "b"} <= set(step.get_feature_names_out())
    assert len(step.lambda_) == 3
