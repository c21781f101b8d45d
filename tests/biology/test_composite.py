"""A composite score whose weights never saw the patient, beside one whose weights did."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from isthmus.biology.composite import composite_score, composite_tables, composite_weights
from isthmus.errors import TableError
from isthmus.stats.roc import auc


def drawn(n: int, features: int, *, gap: float = 0.0, seed: int = 1) -> tuple[pd.DataFrame, pd.Series]:
    """Noise in which the first two features may rise with the event, and a third fall."""
    rng = np.random.default_rng(seed)
    y = pd.Series(rng.permutation(np.arange(n) % 2), index=[f"p{i:02d}" for i in range(n)])
    x = pd.DataFrame(rng.normal(size=(n, features)), index=y.index, columns=[f"f{j}" for j in range(features)])
    x[["f0", "f1"]] += gap * y.to_numpy()[:, None]
    x["f2"] -= gap * y.to_numpy()
    return x, y


def slow_weights(x: pd.DataFrame, y: pd.Series, most: int = 10, least_p: float = 0.2) -> pd.Series:
    """From the text, feature by feature."""
    importance = pd.Series(0.0, index=x.columns)
    for name in x:
        high, low = x.loc[y == 1, name], x.loc[y == 0, name]
        p = stats.mannwhitneyu(high, low, method="asymptotic").pvalue
        pooled = ((len(high) - 1) * high.var() + (len(low) - 1) * low.var()) / (len(x) - 2)
        if p < least_p:
            importance[name] = (high.median() - low.median()) / pooled**0.5
    importance[importance.abs().rank(ascending=False) > most] = 0.0
    return importance / importance.abs().sum()


@pytest.mark.parametrize("most", [1, 10])
def test_weights_are_those_of_the_text(most: int) -> None:
    """Sign and size of the difference of medians over the pooled spread, where the rank-sum test has p below 0.2; ties as well."""
    for seed in range(5):
        x, y = drawn(25, 12, gap=0.6, seed=seed)
        x["f3"] = x["f3"].round()
        ours = composite_weights(x.to_numpy(), y.to_numpy()[None], most=most)[0]
        np.testing.assert_allclose(ours, slow_weights(x, y, most), atol=1e-12)


def test_a_score_is_that_of_the_others() -> None:
    """Weights, centre and scale of everybody else, worked out for one patient; a missing value is the others' median."""
    x, y = drawn(25, 12, gap=0.8)
    x.iloc[[3, 7], 0] = np.nan
    others, own = x.drop(index="p03"), x.loc["p03"]
    middle = others.median()
    others, own = others.fillna(middle), own.fillna(middle)
    wanted = float(slow_weights(others, y.drop("p03")) @ ((own - others.mean()) / others.std()))
    assert composite_score(x, y, permutations=1).scores["p03"] == pytest.approx(wanted, rel=1e-12)


def test_his_own_outcome_does_not_move_a_score() -> None:
    """To the last bit; it moves the others'."""
    x, y = drawn(24, 12, gap=0.8)
    flipped = y.copy()
    flipped["p05"] = 1 - y["p05"]
    one, other = (composite_score(x, z, permutations=1).scores for z in (y, flipped))
    assert one["p05"] == other["p05"]
    assert (one != other).sum() > 20


def test_planted_features_carry_the_score() -> None:
    """They are used by nearly every patient's score, with their signs, and the outcome is told."""
    found = composite_score(*drawn(50, 20, gap=1.0), permutations=199)
    weights = found.weights.set_index("feature")
    assert (weights.loc[["f0", "f1", "f2"], "used_share"] > 0.9).all()
    assert np.sign(weights.loc[["f0", "f1", "f2"], "weight"]).tolist() == [1, 1, -1]
    assert found.p == 0.005
    assert found.lower > 0.6


def test_noise_is_found_by_weights_that_saw_the_patients_only() -> None:
    """40 null tables of 24 patients: circular scores have an AUC around 0.76; here p is below 0.05 at the nominal rate."""
    circular, p = [], []
    for seed in range(40):
        x, y = drawn(24, 12, seed=seed)
        found = composite_score(x, y, permutations=99, seed=seed)
        p.append(found.p)
        circular.append(auc(y, x.to_numpy() @ found.weights["weight"].to_numpy()))
    assert np.mean(circular) > 0.7
    assert np.mean(np.array(p) <= 0.05) <= 0.15  # 99.7 % of binomial(40, 0.05)
    assert np.mean(p) == pytest.approx(0.5, abs=0.14)


def test_risk_groups_are_compared_by_the_same_scores() -> None:
    """A second row, without the patients who have no group."""
    x, y = drawn(30, 8, gap=1.0)
    group = y.map({0: "low", 1: "high"}).drop("p00")
    table = composite_tables(x, y, ("M1", "M0"), group=group)[0]["composite_auc"]
    assert table["against"].tolist() == ["M1 or M0", "high or low"]
    assert table["n"].tolist() == [30, 29]


def test_two_patients_with_the_event_are_too_few() -> None:
    """Said with the number it needs."""
    x, y = drawn(10, 4)
    y[:] = [1, 1, *[0] * 8]
    with pytest.raises(TableError, match="2 patients with the event and 8 without; each outcome needs 3"):
        composite_score(x, y)
