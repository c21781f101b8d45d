"""Logistic regression."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.models.logistic import Logistic
from validate.drawn import design


@pytest.fixture(scope="module")
def data():
    made = design(np.random.default_rng(2), n=90, p=3, signal=1.0)
    return made.X.to_numpy(), made.events(np.ones(90, dtype=bool))


def test_without_a_penalty_it_is_the_maximum_of_the_likelihood(data):
    """The score equations X'(p - y) = 0 hold: the definition of the maximum-likelihood fit."""
    X, y = data
    risk = Logistic().fit(X, y).predict_proba(X)[:, 1]
    np.testing.assert_allclose(np.c_[np.ones(90), X].T @ (risk - y), 0.0, atol=1e-4)


def test_ridge_shrinks(data):
    """A strong penalty gives smaller coefficients."""
    assert np.abs(Logistic(C=0.01).fit(*data).coef_).sum() < np.abs(Logistic().fit(*data).coef_).sum()


def test_more_columns_than_rows_are_refused_without_a_penalty():
    """No single answer exists; the message says what to do instead."""
    rng = np.random.default_rng(0)
    with pytest.raises(TableError, match="Use the estimator 'lasso'"):
        Logistic().fit(rng.normal(size=(10, 12)), [0, 1] * 5)


def test_separated_classes_are_a_concern(data):
    """A column that is the outcome has no finite coefficient, and the model says so instead of passing for fitted."""
    _, y = data
    assert "separate the classes" in Logistic().fit(y[:, None].astype(float), y).concern()


@pytest.mark.parametrize("penalty", [None, 1.0])
def test_ordinary_data_are_no_concern(data, penalty):
    """Where the likelihood has a maximum there is nothing to say."""
    assert Logistic(C=penalty).fit(*data).concern() == ""
