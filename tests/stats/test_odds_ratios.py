"""Odds ratios: maximum likelihood where it exists, Firth where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.stats.firth import firth_regression
from isthmus.stats.logistic import logistic_regression
from isthmus.stats.odds_ratios import odds_ratios


@pytest.fixture
def drawn() -> tuple[pd.DataFrame, np.ndarray]:
    """Age and a finding that raises the risk."""
    rng = np.random.default_rng(3)
    x = pd.DataFrame({"age": rng.normal(50, 10, 60), "node": (rng.random(60) < 0.5).astype(float)})
    return x, (rng.random(60) < 0.3 + 0.3 * x["node"]).astype(int).to_numpy()


@pytest.fixture
def separated() -> tuple[pd.DataFrame, np.ndarray]:
    """A finding that all events and no non-events have."""
    y = np.array([0] * 12 + [1] * 8)
    return pd.DataFrame({"node": y.astype(float), "age": np.random.default_rng(1).normal(50, 10, 20)}), y


def test_without_separation_it_is_maximum_likelihood(drawn: tuple[pd.DataFrame, np.ndarray]) -> None:
    """The numbers of `logistic_regression`, untouched."""
    plain = logistic_regression(*drawn).table
    pd.testing.assert_frame_equal(odds_ratios(*drawn)[list(plain.columns)], plain)


def test_a_separating_finding_gets_firths_odds_ratio(separated: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Instead of an empty table: Firth's estimate and profile limits."""
    shared = ["term", "odds_ratio", "lower", "upper", "p"]
    pd.testing.assert_frame_equal(odds_ratios(*separated)[shared], firth_regression(*separated)[shared])


def test_the_note_names_what_separates(separated: tuple[pd.DataFrame, np.ndarray]) -> None:
    """The reader is told which predictor, and which method."""
    note = odds_ratios(*separated)["note"].iloc[0]
    assert ("separated by node" in note, "Firth" in note) == (True, True)


def test_one_class_has_no_numbers(drawn: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Without events the table is empty and says so."""
    table = odds_ratios(drawn[0], np.zeros(60))
    assert (table["odds_ratio"].isna().all(), "0 events" in table["note"].iloc[0]) == (True, True)
