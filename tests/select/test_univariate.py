"""Selection by one test per column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.select.univariate import UnivariateSelector
from validate.drawn import design

EVERY = ["anova", "welch_t", "student_t", "mann_whitney", "auc", "kruskal", "chi_square"]


@pytest.mark.parametrize("test", EVERY)
def test_k_columns_stay_and_keep_their_order(test):
    """The k strongest stay, in the order of the table."""
    made = design(np.random.default_rng(6), n=90, p=10)
    step = UnivariateSelector(test, k=2).fit(made.X, made.events(np.ones(90, dtype=bool)))
    assert step.get_feature_names_out().tolist() == ["f0", "f1"]


def test_fewer_columns_than_k_all_stay():
    """k larger than the table is no error."""
    made = design(np.random.default_rng(6), n=30, p=3)
    assert UnivariateSelector(k=10).fit(made.X, made.events(np.ones(30, dtype=bool))).dropped_ == {}


@pytest.mark.parametrize("adjust", ["benjamini-hochberg", "benjamini-yekutieli", "none"])
@pytest.mark.parametrize("test", EVERY)
def test_a_bound_on_p_keeps_the_strong_and_drops_noise(test, adjust):
    """With a bound on the adjusted p the noise columns go."""
    made = design(np.random.default_rng(6), n=90, p=10)
    step = UnivariateSelector(test, p_at_most=0.001, adjust=adjust).fit(made.X, made.events(np.ones(90, dtype=bool)))
    assert step.get_feature_names_out().tolist() == ["f0", "f1"]


def test_the_bound_is_on_adjusted_p():
    """Of 400 columns of noise some have p < 0.05, none after Benjamini and Hochberg (the strongest stays all the same)."""
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame(rng.normal(size=(40, 400))).rename(columns=str), np.arange(40) % 2
    left = [
        len(UnivariateSelector(p_at_most=0.05, adjust=a).fit(X, y).get_feature_names_out()) for a in ("none", "holm")
    ]
    assert (left[0] > 5, left[1]) == (True, 1)


def test_without_signal_the_best_one_stays():
    """A fold without signal still has a model."""
    made = design(np.random.default_rng(6), n=60, p=10, signal=0.0)
    step = UnivariateSelector(p_at_most=1e-9).fit(made.X, made.events(np.ones(60, dtype=bool)))
    assert len(step.get_feature_names_out()) == 1


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("test", EVERY)
def test_ties_take_the_earlier_column(test, k):
    """Copies are equally strong; the earlier ones stay."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=20)
    frame = pd.DataFrame({f"x{i}": x for i in range(5)})
    step = UnivariateSelector(test, k=k).fit(frame, np.arange(20) % 2)
    assert step.get_feature_names_out().tolist() == [f"x{i}" for i in range(k)]


@pytest.mark.parametrize(
    "settings", [{"test": "tea"}, {"k": 0}, {"k": 2.0}, {"p_at_most": 1.0}, {"p_at_most": 1}, {"adjust": "bh"}]
)
def test_wrong_settings_are_named(settings):
    """Each names itself and what was expected."""
    with pytest.raises(PlanError, match=f"step 'univariate': {next(iter(settings))} = "):
        UnivariateSelector(**settings).check_settings()
