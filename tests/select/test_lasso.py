"""Selection by LASSO."""

from __future__ import annotations

import numpy as np

from isthmus.models.lasso import LassoLogistic
from isthmus.select.lasso import LassoSelector
from validate.drawn import design


def test_it_keeps_what_the_lasso_model_gives_a_coefficient():
    """Selector and estimator with the same folds agree on the columns."""
    made = design(np.random.default_rng(1), n=80, p=20)
    events = made.events(np.ones(80, dtype=bool))
    model = LassoLogistic(random_state=4).fit(made.X.to_numpy(), events)
    step = LassoSelector(random_state=4).fit(made.X, events)
    assert step.get_feature_names_out().tolist() == [f"f{i}" for i in np.flatnonzero(model.coef_)]


def test_without_signal_one_column_stays():
    """An empty model keeps the first column that would enter, so that the fold has a model."""
    made = design(np.random.default_rng(2), n=40, p=6, signal=0.0)
    step = LassoSelector(rule="1se").fit(made.X, made.events(np.ones(40, dtype=bool)))
    assert len(step.get_feature_names_out()) >= 1


def test_every_column_left_out_has_a_reason():
    """Kept and dropped columns make up the table."""
    made = design(np.random.default_rng(3), n=60, p=15)
    step = LassoSelector().fit(made.X, made.events(np.ones(60, dtype=bool)))
    assert {*step.get_feature_names_out(), *step.dropped_} == set(made.X.columns)
