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
