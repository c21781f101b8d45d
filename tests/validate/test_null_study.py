"""The null study: permutation within centres, and the summary."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.table import Outcome
from isthmus.validate.null_study import null_outcome, summarise_null

NAMES = [f"P{i}" for i in range(40)]
OUTCOME = Outcome("y", "binary", pd.Series([1] * 12 + [0] * 28, index=NAMES))
CENTRES = pd.Series(["A"] * 20 + ["B"] * 20, index=NAMES)


def test_prevalence_of_each_centre_stays():
    """Permuting within centres leaves the events of each centre."""
    null = null_outcome(OUTCOME, CENTRES, 3, seed=1)
    assert null.values.groupby(CENTRES).sum().to_dict() == {"A": 12, "B": 0}


def test_without_centres_everybody_is_one_stratum():
    """No centres: the events are dealt among all."""
    null = null_outcome(OUTCOME, None, 0, seed=1)
    assert null.values.sum() == 12
    assert null.values.iloc[20:].sum() > 0


def test_the_same_number_gives_the_same_permutation():
    """Permutation and seed determine the outcome."""
    first, again, other = (null_outcome(OUTCOME, CENTRES, which, seed=1).values for which in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_order_of_the_table_does_not_matter():
    """Patients in another order get the same permuted outcome."""
    order = np.random.default_rng(0).permutation(40)
    shuffled = Outcome("y", "binary", OUTCOME.values.iloc[order])
    null = null_outcome(OUTCOME, CENTRES, 2, seed=1).values.groupby(level=0).first()
    again = null_outcome(shuffled, CENTRES, 2, seed=1).values.groupby(level=0).first()
    assert (null.loc[CENTRES.index[20:]] == again.loc[CENTRES.index[20:]]).all()


def test_the_original_is_not_changed():
    """Permuting returns a new outcome."""
    before = OUTCOME.values.copy()
    null_outcome(OUTCOME, CENTRES, 1, seed=1)
    assert OUTCOME.values.equals(before)


def summary(values, auc=0.8):
    null = pd.DataFrame({"model": "m", "permutation": range(len(values)), "auc": values})
    return summarise_null(pd.DataFrame({"model": ["m"], "auc": [auc]}), null).iloc[0]


def test_p_counts_permutations_that_reach_the_observed_value():
    """p = (1 + 1) / (1 + 19) when one of 19 is as large."""
    assert summary([0.8, *np.linspace(0.4, 0.6, 18)])["p"] == pytest.approx(0.1)


def test_a_null_mean_above_chance_is_a_suspected_leak():
    """More than 3 Monte-Carlo standard errors above 0.5: the verdict says leak."""
    assert summary(np.linspace(0.60, 0.70, 20))["verdict"].startswith("leak suspected")


def test_an_honest_null_with_signal():
    """Null around 0.5 and the observed value above all of them."""
    assert summary(np.linspace(0.40, 0.60, 40))["verdict"] == "no leak seen; above what permuted outcomes give"


def test_an_honest_null_without_signal():
    """An observed value inside the null range is no evidence of signal."""
    assert summary(np.linspace(0.40, 0.60, 40), auc=0.52)["verdict"] == "no leak seen; no evidence of signal"


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_few_permutations_are_not_judged(count):
    """Fewer than 10 permutations: said, not guessed, even where they look like a leak."""
    assert summary([0.7 + 0.001 * i for i in range(count)])["verdict"] == "not judged: fewer than 10 permutations"


def test_the_monte_carlo_error_is_the_standard_error_of_the_mean():
    """mcse = sd / sqrt(B)."""
    values = [0.4, 0.5, 0.6, 0.45]
    assert summary(values)["mcse"] == pytest.approx(np.std(values, ddof=1) / 2)


def test_a_model_without_auc_is_not_judged():
    """No observed AUC must not count as better than every permutation."""
    assert summary(np.linspace(0.40, 0.60, 40), auc=float("nan"))["verdict"] == "not judged: the model has no AUC"
