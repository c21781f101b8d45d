"""Firth's regression: finite where maximum likelihood is not, and the same in any unit."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats.firth import firth_regression, penalised_ratio_test


@pytest.fixture
def separated() -> tuple[pd.DataFrame, np.ndarray]:
    """A finding that all events and no non-events have, and an age."""
    y = np.array([0] * 12 + [1] * 8)
    age = np.random.default_rng(1).normal(50, 10, 20)
    return pd.DataFrame({"node": y.astype(float), "age": age}), y


def test_separated_outcome_has_finite_estimates(separated: tuple[pd.DataFrame, np.ndarray]) -> None:
    """The odds ratio of a separating finding is finite and its lower limit lies above 1."""
    node = firth_regression(*separated).set_index("term").loc["node"]
    assert (np.isfinite(node["odds_ratio"]), node["lower"] > 1) == (True, True)


def test_units_do_not_matter(separated: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Age in days instead of years leaves every p-value where it was."""
    x, y = separated
    days = firth_regression(x.assign(age=x["age"] * 365.25), y)["p"].iloc[1:]
    np.testing.assert_allclose(days, firth_regression(x, y)["p"].iloc[1:], rtol=1e-6)


def test_two_by_two_is_the_half_added_table() -> None:
    """With one binary predictor Firth adds one half to each cell (Heinze and Schemper)."""
    x = pd.DataFrame({"finding": np.repeat([0.0, 0, 1, 1], [9, 3, 2, 6])})
    y = np.repeat([0, 1, 0, 1], [9, 3, 2, 6])
    ours = firth_regression(x, y)["odds_ratio"].iloc[1]
    assert ours == pytest.approx((9.5 * 6.5) / (3.5 * 2.5), rel=1e-7)


def test_one_class_is_refused(separated: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Without events there is nothing to estimate."""
    with pytest.raises(TableError, match="0 events among 20"):
        firth_regression(separated[0], np.zeros(20))


def test_penalised_ratio_of_one_column_is_its_p(shared_data):
    """Leaving out one column gives the p-value of its coefficient."""
    s = pd.read_csv(shared_data / "statistics_r" / "separation.csv")
    wanted = firth_regression(s[["meta", "x"]], s["y"]).set_index("term").loc["meta", "p"]
    assert penalised_ratio_test(s[["meta", "x"]], s["y"], ["meta"]).p == pytest.approx(wanted, rel=1e-6)


def test_penalised_ratio_of_all_columns_is_logistfs(shared_data):
    """Twice the difference of logistf's penalised log-likelihoods with all and without any column."""
    folder = shared_data / "statistics_r"
    s = pd.read_csv(folder / "separation.csv")
    full, null = json.loads((folder / "expected.json").read_text())["firth"]["loglik"].values()
    ratio = penalised_ratio_test(s[["meta", "x"]], s["y"], ["meta", "x"]).statistic
    assert ratio == pytest.approx(2 * abs(full - null), rel=1e-6)


def test_without_the_profile_the_estimates_are_the_same(shared_data):
    """profile = False changes limits and p only."""
    s = pd.read_csv(shared_data / "statistics_r" / "separation.csv")
    tables = [firth_regression(s[["meta", "x"]], s["y"], profile=way) for way in (True, False)]
    pd.testing.assert_frame_equal(tables[0][["coefficient", "se"]], tables[1][["coefficient", "se"]])
