"""Boosted trees."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from isthmus.models.lightgbm import LightGbm
from validate.drawn import design


@pytest.fixture(scope="module")
def data():
    made = design(np.random.default_rng(5), n=80, p=6)
    return made.X.to_numpy(), made.events(np.ones(80, dtype=bool))


def test_the_same_seed_gives_the_same_text(data):
    """Two fits with one seed are one model, byte for byte."""
    assert LightGbm(random_state=3).fit(*data).text_ == LightGbm(random_state=3).fit(*data).text_


def test_it_survives_pickling_between_workers(data):
    """A fitted model that crossed a process border predicts the same bits."""
    model = LightGbm(rounds=20).fit(*data)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(model.predict_proba(data[0]), again.predict_proba(data[0]))


def test_importance_is_largest_where_the_signal_is(data):
    """The two columns with signal have the largest gain."""
    assert set(np.argsort(-LightGbm().fit(*data).contributions())[:2]) == {0, 1}


def test_a_seed_beyond_31_bits_is_accepted(data):
    """Child seeds have 32 bits, LightGBM's have 31."""
    assert LightGbm(rounds=2, random_state=2**32 - 1).fit(*data).predict_proba(data[0]).shape == (80, 2)


def test_the_defaults_of_later_settings_change_nothing(data):
    """Depth, drawn rows, L1 and least gain are off: the trees are those of LightGBM without these parameters."""
    import lightgbm

    values, events = data
    parameters = {
        "objective": "binary", "learning_rate": 0.05, "num_leaves": 7, "min_data_in_leaf": 8, "feature_fraction": 0.3,
        "lambda_l2": 1.0, "seed": 0, "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }  # fmt: skip
    plain = lightgbm.train(parameters, lightgbm.Dataset(values, label=events), num_boost_round=30)
    assert np.array_equal(LightGbm(rounds=30).fit(values, events).predict_proba(values)[:, 1], plain.predict(values))


def test_depth_limits_the_questions(data):
    """With depth 1 every tree is a stump."""
    trees = LightGbm(rounds=5, depth=1).fit(*data)._booster.dump_model()["tree_info"]
    assert max(tree["num_leaves"] for tree in trees) == 2


@pytest.mark.parametrize("setting", [{"row_share": 0.5}, {"l1": 2.0}, {"min_gain": 5.0}])
def test_each_setting_reaches_the_trees(data, setting):
    """Another value, another model."""
    assert not np.array_equal(
        LightGbm(rounds=10, **setting).fit(*data).predict_proba(data[0]),
        LightGbm(rounds=10).fit(*data).predict_proba(data[0]),
    )
