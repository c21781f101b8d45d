"""The quantile forest decides at the training share of events, tunes itself out of bag, and says so."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from isthmus import models
from isthmus.errors import PlanError
from isthmus.models.quantile_forest import QuantileForest
from isthmus.models.random_forest import RandomForest
from validate.drawn import STEPS


@pytest.fixture(scope="module")
def data() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(8)
    events = (np.arange(90) % 4 == 0).astype(int)
    X = pd.DataFrame(rng.normal(size=(90, 9)), columns=[f"x{i}" for i in range(9)])
    X["x0"] += 2.0 * events
    X["x1"] += 1.5 * events
    return X, events


@pytest.fixture(scope="module")
def fitted(data) -> QuantileForest:
    return QuantileForest(
        trees=60, tuning_trees=20, random_state=3, groups={"signal": ["x0", "x1"], "rest": ["x2"]}
    ).fit(*data)


def test_with_nothing_to_tune_it_is_the_random_forest(data):
    """Same trees, same seed, same risks as `random_forest`: the classifier is a rule, not another forest."""
    ours = QuantileForest(trees=30, mtry=3, nodesize=2, random_state=5).fit(*data)
    theirs = RandomForest(trees=30, min_leaf=2, max_features="sqrt", random_state=5).fit(*data)
    np.testing.assert_array_equal(ours.predict_proba(data[0]), theirs.predict_proba(data[0]))


def test_the_threshold_rule_is_the_share_of_events():
    """Without a threshold in the plan it decides at the training prevalence."""
    assert QuantileForest().threshold_rule == "prevalence"


def test_the_grid_of_the_specification_is_tried(fitted):
    """mtry sqrt(p)/2, sqrt(p), 2 sqrt(p), p/3 (3 once) times eight leaf sizes."""
    tried = {(trial["settings"]["mtry"], trial["settings"]["nodesize"]) for trial in fitted.trials_}
    assert tried == {(m, n) for m in (2, 3, 6) for n in (1, 2, 3, 5, 8, 10, 15, 20)}


def test_what_tuning_chose_has_the_smallest_loss(fitted):
    """The chosen pair is the first of those with the smallest out-of-bag loss."""
    best = min(fitted.trials_, key=lambda trial: trial["score"])
    assert best["settings"] == {"mtry": fitted.mtry_, "nodesize": fitted.nodesize_}


@pytest.mark.parametrize("tune_by", ["g_mean", "error"])
def test_trials_name_what_was_made_small(data, tune_by):
    """Each trial says which out-of-bag measure its score is."""
    model = QuantileForest(trees=5, tuning_trees=5, mtry=3, tune_by=tune_by).fit(*data)
    assert model.trials_[0]["measure"] == {"g_mean": "out-of-bag 1 - G-mean", "error": "out-of-bag error"}[tune_by]


def test_group_importance_is_of_the_groups_named(fitted):
    """One number a group, the one with the signal far ahead."""
    found = fitted.group_contributions()
    assert list(found) == ["signal", "rest"]
    assert found["signal"] > found["rest"] + 0.1


def test_impurity_importance_adds_up_to_one(data):
    """importance = "impurity" is scikit-learn's, a share of the whole."""
    model = QuantileForest(trees=20, mtry=3, nodesize=2, importance="impurity").fit(*data)
    assert model.contributions().sum() == pytest.approx(1.0, abs=1e-12)


def test_balanced_trees_grow_on_as_many_of_each_class(data):
    """A balanced forest's mean out-of-bag risk lies near one half, far above the share of events."""
    model = QuantileForest(trees=80, mtry=3, nodesize=2, balanced=True, random_state=1).fit(*data)
    assert np.nanmean(model.out_of_bag_risk()) > 0.35


def test_balanced_trees_and_the_share_of_events_are_refused_together():
    """The two cures for imbalance undo each other (measured G-mean 0.0 to 0.07), so no plan may name both."""
    spec = models.ModelSettings(
        name="m", estimator="quantile_forest", settings={"balanced": True}, threshold="prevalence"
    )
    with pytest.raises(PlanError, match=r"balanced = true with threshold = 'prevalence'"):
        models.check_model(spec, steps=STEPS)


def test_groups_may_come_from_a_plan():
    """A mapping of names to lists passes the check of settings."""
    spec = models.ModelSettings(name="m", estimator="quantile_forest", settings={"groups": {"a": ["x"]}})
    models.check_model(spec, steps=STEPS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mtry": "half"}, "mtry = 'half'; expected 'tune', 'sqrt' or a whole number"),
        ({"nodesize": 0}, "nodesize = 0; expected a whole number of 1 or more"),
        ({"block": "some"}, "block = 'some'; expected 'all' or a whole number"),
        ({"noising": "none"}, "noising = 'none'"),
        ({"groups": {"a": ["x"], "b": ["x"]}}, "'x' is in two groups"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings, said):
    """Each error names the setting, what came and what was expected."""
    with pytest.raises(PlanError, match=said):
        QuantileForest(**settings).check_settings()


def test_it_survives_its_files(fitted, data):
    """Risks, importance and what tuning chose come back from the model file."""
    again = QuantileForest.from_files(json.loads(json.dumps(fitted.get_params())), fitted.to_files())
    again.restore(list(data[0].columns))
    np.testing.assert_array_equal(again.predict_proba(data[0]), fitted.predict_proba(data[0]))
    np.testing.assert_array_equal(again.contributions(), fitted.contributions())
    assert (again.mtry_, again.nodesize_, again.prevalence_) == (fitted.mtry_, fitted.nodesize_, fitted.prevalence_)
