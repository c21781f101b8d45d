"""Selection by analysis of variance."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from isthmus.select.anova import AnovaSelector, anova_f
from validate.drawn import design


def test_f_is_that_of_r(shared_data):
    """F of the first five columns equals R's anova(lm())."""
    table = pd.read_csv(shared_data / "statistics_r" / "lasso.csv")
    expected = json.loads((shared_data / "statistics_r" / "expected.json").read_text())["anova_F_first5"]
    found, _ = anova_f(table.iloc[:, 2:7].to_numpy(), table["y"].to_numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_p_is_that_of_scipy():
    """p equals scipy.stats.f_oneway."""
    from scipy.stats import f_oneway

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 3)), np.arange(30) % 2
    np.testing.assert_allclose(anova_f(X, y)[1], f_oneway(X[y == 0], X[y == 1]).pvalue, rtol=1e-10)


def test_k_columns_stay_and_keep_their_order():
    """The k largest F stay, in the order of the table."""
    made = design(np.random.default_rng(6), n=90, p=10)
    step = AnovaSelector(k=2).fit(made.X, made.events(np.ones(90, dtype=bool)))
    assert step.get_feature_names_out().tolist() == ["f0", "f1"]


def test_fewer_columns_than_k_all_stay():
    """k larger than the table is no error."""
    made = design(np.random.default_rng(6), n=30, p=3)
    assert AnovaSelector(k=10).fit(made.X, made.events(np.ones(30, dtype=bool))).dropped_ == {}


def test_fdr_keeps_the_strong_and_drops_noise():
    """With a false discovery rate the noise columns go."""
    made = design(np.random.default_rng(6), n=90, p=10)
    step = AnovaSelector(fdr=0.01).fit(made.X, made.events(np.ones(90, dtype=bool)))
    assert step.get_feature_names_out().tolist() == ["f0", "f1"]


def test_fdr_without_signal_keeps_the_best_one():
    """A fold without signal still has a model."""
    made = design(np.random.default_rng(6), n=60, p=10, signal=0.0)
    step = AnovaSelector(fdr=1e-9).fit(made.X, made.events(np.ones(60, dtype=bool)))
    assert len(step.get_feature_names_out()) == 1


@pytest.mark.parametrize("k", [1, 3])
def test_ties_take_the_earlier_column(k):
    """Copies have equal F; the earlier ones stay."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=20)
    frame = pd.DataFrame({f"x{i}": x for i in range(5)})
    assert AnovaSelector(k=k).fit(frame, np.arange(20) % 2).get_feature_names_out().tolist() == [
        f"x{i}" for i in range(k)
    ]
