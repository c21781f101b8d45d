"""Multiple imputation: real values only, reproducible, and unbiased where complete cases are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats.logistic import logistic_regression
from isthmus.stats.multiple_imputation import impute_multiply, number_of_imputations
from isthmus.stats.rubin import pool


def _table(n: int = 400, seed: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two related numbers, a category and an outcome; x is missing mostly where z is high and the outcome happened."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    x = 0.7 * z + rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(1 - x))).astype(float)
    stage = np.where(x + rng.normal(size=n) > 1, "III", np.where(x > -0.5, "II", "I"))
    whole = pd.DataFrame({"x": x, "z": z, "stage": stage, "y": y})
    lost = rng.random(n) < 1 / (1 + np.exp(1 - 1.5 * z - y))
    gaps = whole.assign(x=whole["x"].mask(lost), stage=whole["stage"].mask(rng.random(n) < 0.1))
    return whole, gaps


def test_filled_values_are_those_of_patients() -> None:
    """Predictive mean matching never invents a value, nor touches one that is there."""
    _, gaps = _table()
    copy = impute_multiply(gaps, imputations=1, seed=1, iterations=2)[0]
    known = gaps["x"].dropna()
    assert (set(copy["x"]) <= set(known), copy.loc[known.index, "x"].equals(known), not copy.isna().any().any()) == (
        True,
    ) * 3


def test_categories_stay_categories() -> None:
    """A missing stage becomes one of the stages."""
    _, gaps = _table()
    assert set(impute_multiply(gaps, imputations=1, seed=1, iterations=2)[0]["stage"]) == {"I", "II", "III"}


def test_same_seed_same_copies() -> None:
    """More copies begin with the same ones."""
    _, gaps = _table()
    two, three = (impute_multiply(gaps, imputations=m, seed=1, iterations=2) for m in (2, 3))
    pd.testing.assert_frame_equal(two[1], three[1])


def test_copies_differ() -> None:
    """Uncertainty about a gap is the difference between the copies."""
    _, gaps = _table()
    first, second = impute_multiply(gaps, imputations=2, seed=1, iterations=2)
    assert not first["x"].equals(second["x"])


def test_recovers_what_complete_cases_lose() -> None:
    """With x missing by z and outcome, the mean of x over complete cases is off by ten standard errors; the pooled one is near."""
    whole, gaps = _table(n=2000)
    copies = impute_multiply(gaps, imputations=5, seed=2, iterations=5)
    pooled = pool([copy["x"].mean() for copy in copies], [copy["x"].var() / len(copy) for copy in copies])
    truth = whole["x"].mean()
    assert abs(pooled.estimate - truth) < 3 * pooled.se < abs(gaps["x"].mean() - truth)


def test_odds_ratio_is_near_that_of_the_whole_table() -> None:
    """The pooled coefficient of x lies within two of its standard errors of the one without gaps."""
    whole, gaps = _table(n=1000)
    fits = [
        logistic_regression(c[["x"]], c["y"], profile=False).table.iloc[1]
        for c in impute_multiply(gaps, imputations=5, seed=3, iterations=5)
    ]
    pooled = pool([fit["coefficient"] for fit in fits], [fit["se"] ** 2 for fit in fits])
    wanted = logistic_regression(whole[["x"]], whole["y"], profile=False).table.iloc[1]["coefficient"]
    assert abs(pooled.estimate - wanted) < 2 * pooled.se


@pytest.mark.parametrize(("share", "m"), [(0.0, 5), (0.02, 5), (0.37, 37)])
def test_as_many_copies_as_percent_incomplete(share: float, m: int) -> None:
    """At least five."""
    frame = pd.DataFrame({"x": [np.nan] * int(100 * share) + [1.0] * (100 - int(100 * share))})
    assert number_of_imputations(frame) == m


def test_an_empty_column_is_refused() -> None:
    """Nobody's value can be given to anybody."""
    with pytest.raises(TableError, match="no value at all in x"):
        impute_multiply(pd.DataFrame({"x": [np.nan, np.nan], "y": [0.0, 1.0]}), imputations=1, seed=1)
