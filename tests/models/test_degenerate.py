"""What every estimator does with columns and outcomes at the edge."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from isthmus import models
from isthmus.errors import TableError
from validate.drawn import QUICK

ALL = sorted(models.estimators_of("binary"))
REFUSES_WIDE = {"logistic", "firth"}
REFUSES_CONSTANT = {"lasso", "elastic_net", "catboost"}
EVENTS = np.arange(40) % 2


def fitted(name: str, values: np.ndarray):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return models.ESTIMATORS[name](**QUICK.get(name, {})).fit(values, EVENTS)


def noise(p: int) -> np.ndarray:
    return np.random.default_rng(p).normal(size=(40, p))


def proper(risk: np.ndarray) -> bool:
    return bool(np.isfinite(risk).all() and risk.min() >= 0 and risk.max() <= 1)


@pytest.mark.parametrize("name", sorted(set(ALL) - {"mean_risk"}))  # which gives every column one say
def test_a_constant_column_has_no_say(name):
    """The risk of a row is finite and does not depend on a column that was constant in training; its contribution is 0."""
    values = np.column_stack([noise(3), np.full(40, 5.0)])
    model = fitted(name, values)
    assert proper(model.predict_proba(values)[:, 1])
    assert model.contributions()[3] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", sorted(set(ALL) - REFUSES_CONSTANT))
def test_all_columns_constant_gives_everybody_the_same_risk(name):
    """No column says anything: one risk for all."""
    risk = fitted(name, np.ones((40, 3))).predict_proba(np.ones((5, 3)))[:, 1]
    assert proper(risk)
    assert np.ptp(risk) == 0


@pytest.mark.parametrize("name", sorted(REFUSES_CONSTANT))
def test_all_columns_constant_is_refused_by_the_others(name):
    """Where the method has no answer the error says why."""
    with pytest.raises(TableError, match="constant"):
        fitted(name, np.ones((40, 3)))


@pytest.mark.parametrize("name", ALL)
def test_more_columns_than_rows(name):
    """n < p works, or is refused by the two models that have no single answer."""
    values = noise(60)
    if name in REFUSES_WIDE:
        with pytest.raises(TableError, match="has no single answer"):
            fitted(name, values)
    else:
        assert proper(fitted(name, values).predict_proba(values)[:, 1])


@pytest.mark.parametrize("name", ALL)
def test_ties_and_repeated_rows(name):
    """Columns of two values with many identical rows: identical rows get identical risks."""
    values = np.column_stack([np.arange(40) % 5 < 2, np.arange(40) % 8 < 3]).astype(float)
    risk = fitted(name, values).predict_proba(values)[:, 1]
    assert proper(risk)
    assert len({(a, b, r) for (a, b), r in zip(values.tolist(), risk, strict=True)}) == 4


@pytest.mark.parametrize("name", ALL)
def test_perfect_separation_is_learned(name):
    """Where a column is the outcome, events get the higher risk and every risk is finite."""
    values = np.column_stack([EVENTS * 2.0, noise(2)])
    risk = fitted(name, values).predict_proba(values)[:, 1]
    assert proper(risk)
    assert risk[EVENTS == 1].mean() > risk[EVENTS == 0].mean()
