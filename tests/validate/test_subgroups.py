"""Subgroups: the numbers of each group alone, honest about small ones, and nothing moves with the order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.stats import roc
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.subgroups import METRICS, subgroups

SETTINGS = ValidateSettings(bootstrap=200, subgroup_minimum=8)
N = 160


@pytest.fixture(scope="module")
def data() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A model that ranks women well and men not at all; three patients of unknown sex, and a rare third level."""
    rng = np.random.default_rng(5)
    y = (rng.uniform(size=N) < 0.4).astype(int)
    sex = np.array(["f", "m"] * (N // 2), dtype=object)
    sex[:3], sex[3:9] = None, "x"
    rows = []
    fold = [rng.permutation(np.arange(N) % 4) for _ in range(2)]
    for r in range(2):
        p = 1 / (1 + np.exp(-(np.where(sex == "f", 2.5, 0.0) * (y - 0.4) + rng.normal(size=N))))
        rows += [(f"P{i}", "one", "cv", r, fold[r][i], y[i], p[i]) for i in range(N)]
    predictions = pd.DataFrame(rows, columns=["patient", "model", "split", "repeat", "fold", "outcome", "probability"])
    cuts = [("one", r, f, 0.4 + 0.05 * f) for r in range(2) for f in range(4)] + [("one", np.nan, np.nan, 0.5)]
    thresholds = pd.DataFrame(cuts, columns=["model", "repeat", "fold", "threshold"])
    return predictions, thresholds, pd.DataFrame({"sex": sex}, index=[f"P{i}" for i in range(N)])


@pytest.fixture(scope="module")
def table(data: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return subgroups(*data, settings=SETTINGS, seed=1)


def row(table: pd.DataFrame, level: str, metric: str) -> pd.Series:
    return table[(table["level"] == level) & (table["metric"] == metric)].iloc[0]


def test_every_level_has_every_metric(table: pd.DataFrame) -> None:
    """Each level has each metric once; a patient of unknown level belongs to none."""
    assert table.groupby("level")["metric"].agg(tuple).to_dict() == dict.fromkeys(("f", "m", "x"), METRICS)


def test_auc_is_that_of_the_group_alone(
    data: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], table: pd.DataFrame
) -> None:
    """The AUC of women is the mean over repeats of the AUC of their pooled predictions."""
    predictions, _, levels = data
    women = predictions[predictions["patient"].map(levels["sex"]) == "f"]
    wanted = np.mean([roc.auc(part["outcome"], part["probability"]) for _, part in women.groupby("repeat")])
    assert row(table, "f", "auc")["estimate"] == pytest.approx(wanted)


def test_sensitivity_is_at_each_rows_own_threshold(
    data: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], table: pd.DataFrame
) -> None:
    """A prediction meets the threshold of its own fold."""
    predictions, _, levels = data
    men = predictions[(predictions["patient"].map(levels["sex"]) == "m") & (predictions["outcome"] == 1)]
    wanted = (men["probability"] >= 0.4 + 0.05 * men["fold"]).mean()
    assert row(table, "m", "sensitivity")["estimate"] == pytest.approx(wanted)


def test_a_difference_that_is_there_is_seen(table: pd.DataFrame) -> None:
    """The planted difference between women and the rest lies above 0 with its whole interval."""
    assert row(table, "f", "auc")["difference_lower"] > 0


def test_differences_of_the_rest_include_everybody_else(
    data: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], table: pd.DataFrame
) -> None:
    """The rest of a level is every other known level together."""
    predictions, _, levels = data
    of = predictions["patient"].map(levels["sex"])
    rest = predictions[of.isin(["m", "x"])]
    other = np.mean([roc.auc(part["outcome"], part["probability"]) for _, part in rest.groupby("repeat")])
    found = row(table, "f", "auc")
    assert found["difference"] == pytest.approx(found["estimate"] - other)


def test_small_groups_are_not_estimated(table: pd.DataFrame) -> None:
    """Below the plan's minimum there is no number, and the method gives the counts."""
    found = row(table, "x", "auc")
    assert (np.isnan(found["estimate"]), "nothing below 8" in found["method"]) == (True, True)


def test_order_of_rows_changes_nothing(
    data: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], table: pd.DataFrame
) -> None:
    """Shuffled patients give the identical table."""
    shuffled = subgroups(
        data[0].sample(frac=1, random_state=1),
        data[1],
        data[2].sample(frac=1, random_state=2),
        settings=SETTINGS,
        seed=1,
    )
    pd.testing.assert_frame_equal(shuffled, table, check_exact=True)


def test_a_copy_as_level_has_the_groups_interval(
    data: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], table: pd.DataFrame
) -> None:
    """The same patients under another name give the same numbers: draws belong to the patients, not to the name."""
    renamed = subgroups(data[0], data[1], data[2].rename(columns={"sex": "gender"}), settings=SETTINGS, seed=1)
    pd.testing.assert_frame_equal(renamed.drop(columns="subgroup"), table.drop(columns="subgroup"), check_exact=True)
