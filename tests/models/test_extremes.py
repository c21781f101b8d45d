"""Capping and the logarithm: learned on training rows, wide by default, and never the end of a column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import IsthmusWarning, PlanError, TableError
from isthmus.models.extremes import Log, Winsorise

TRAIN = pd.DataFrame({"tg": np.arange(1001.0), "sex": ["f", "m"] * 500 + ["f"], "m1": [0.0, 1.0] * 500 + [0.0]})


def test_caps_are_training_quantiles() -> None:
    """Values beyond the 0.5th and 99.5th percentile of the training rows become these."""
    new = pd.DataFrame({"tg": [-50.0, 500.0, 1e6], "sex": ["f"] * 3, "m1": [0.0, 1.0, 1.0]})
    assert Winsorise().fit(TRAIN).transform(new)["tg"].tolist() == [5.0, 500.0, 995.0]


def test_two_valued_columns_are_not_capped() -> None:
    """A rare yes stays a yes."""
    rare = pd.DataFrame({"m1": [1.0] + [0.0] * 999})
    assert Winsorise().fit(rare).transform(rare)["m1"].sum() == 1.0


def test_a_column_of_zeros_is_not_made_constant() -> None:
    """The reference study's flaw: with more than 75 % zeros the quartile rule would erase the nodes; ours leaves them and warns."""
    nodes = pd.DataFrame({"nodes": [0.0] * 80 + [1.0, 2.0, 3.0, 12.0] * 5})
    with pytest.warns(IsthmusWarning, match="nodes would become constant"):
        step = Winsorise(iqr=1.5).fit(nodes)
    assert step.transform(nodes)["nodes"].tolist() == nodes["nodes"].tolist()


def test_missing_values_stay_missing() -> None:
    """Capping invents nothing."""
    gap = TRAIN.assign(tg=[np.nan, *TRAIN["tg"][1:]])
    assert np.isnan(Winsorise().fit(gap).transform(gap)["tg"].iloc[0])


@pytest.mark.parametrize(
    "settings", [{"lower": 0.9, "upper": 0.1}, {"iqr": -1.0}, {"columns": "tg"}, {"upper": "high"}]
)
def test_settings_that_mean_nothing_are_refused(settings: dict) -> None:
    """A cap below the other, a negative reach, a name instead of names."""
    with pytest.raises(PlanError, match="winsorise"):
        Winsorise(**settings).check_settings()


def test_log_of_counts() -> None:
    """log(1 + x), odd about zero."""
    frame = pd.DataFrame({"tg": [0.0, 9.0, -9.0, np.nan]})
    np.testing.assert_allclose(Log().fit_transform(frame)["tg"], [0.0, np.log(10), -np.log(10), np.nan])


def test_log_of_a_text_is_refused() -> None:
    """A named column must be a number."""
    with pytest.raises(TableError, match="sex among columns"):
        Log(columns=["sex"]).fit(TRAIN)
