"""Each part of a batch at every value of the others: there before, by construction gone where ComBat was fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.report.tables.harmonisation import within_view
from isthmus.stats.groups import student_t
from isthmus.study import Plan, Result
from isthmus.study.recipes.facts import facts_of, shares_beside
from isthmus.study.run import run_study
from study.tables import write_study

PLAN = """
[table]
path = "features.csv"
outcome = "outcome"
ignore = ["scanner", "maker", "field"]

[harmonise]
batch = "scanner"
within = ["maker", "field"]

[[models]]
name = "harmonised"
estimator = "logistic"
settings = { C = 1.0 }
threshold = 0.5

[validate]
folds = 2
repeats = 1
inner_folds = 2
bootstrap = 100

[audit]
permutations = 0
"""


def features() -> pd.DataFrame:
    """96 patients on four scanners; of 12 features six differ between makers, three others between the fields of maker A alone."""
    rng = np.random.default_rng(4)
    n = 96
    maker, field = np.array(["A", "B"])[np.arange(n) % 2], np.array(["low", "high"])[np.arange(n) // 2 % 2]
    values = rng.normal(size=(n, 12))
    values[:, :6] += 2.0 * (maker == "B")[:, None]
    values[:, 6:9] += 2.0 * ((field == "high") & (maker == "A"))[:, None]
    table = pd.DataFrame(values, columns=[f"x{number}" for number in range(12)])
    table = table.assign(
        outcome=rng.permutation(np.arange(n) % 2), maker=maker, field=field, scanner=maker + " " + field
    )
    table.insert(0, "patient", [f"P{number:03d}" for number in range(n)])
    return table


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("strata")
    return run_study(Plan.read(write_study(folder, features(), PLAN)), folder / "run", workers=1)


def effects(result: Result, rows: str) -> pd.DataFrame:
    table = result.tables["harmonisation_within"]
    return table[table["rows"] == rows].set_index(["of", "at"])


def test_the_share_is_that_of_student_s_t(finished: Result) -> None:
    """Counted by hand among the low-field patients."""
    table = features()
    low = table[table["field"] == "low"]
    by_hand = np.mean(
        [
            student_t(low.loc[low["maker"] == "A", f"x{number}"], low.loc[low["maker"] == "B", f"x{number}"]).p < 0.05
            for number in range(12)
        ]
    )
    assert effects(finished, "fitted").loc[("maker", "field low"), "share_before"] == pytest.approx(by_hand)


def test_one_maker_s_fields_differ_and_the_other_s_do_not(finished: Result) -> None:
    """Three of twelve features in maker A, about none in maker B."""
    share = effects(finished, "fitted")["share_before"]
    assert share["field", "maker A"] >= 0.25
    assert share["field", "maker B"] <= 0.1


def test_where_combat_was_fitted_nothing_is_left(finished: Result) -> None:
    """As every study of harmonisation finds, whatever its data."""
    assert effects(finished, "fitted")["share_after"].max() == 0.0


def test_held_out_rows_show_less_but_before_they_show_it(finished: Result) -> None:
    """Means over both folds of patients who took no part in the fit."""
    held = effects(finished, "held out").loc[[("maker", "field low"), ("maker", "field high")]]
    assert (held["folds"] == 2).all()
    assert held["share_before"].min() > 0.4
    assert held["share_after"].mean() < held["share_before"].mean() / 2


def test_the_report_shows_both(finished: Result) -> None:
    """Eight rows: four comparisons, of fitted and of held-out patients."""
    view = within_view(finished)
    assert view is not None
    assert (len(view.frame), len(view.groups)) == (8, 2)


def test_printed_shares_stand_beside_the_run_s() -> None:
    """The ten of the liver study, before and after; a run of other levels has none."""
    table = shares_beside(facts_of("liver-combat"), None)
    assert (len(table), table["before"].isna().all()) == (10, True)
    within = pd.DataFrame(
        [["radiomics, deep", "fitted", "manufacturer", "field_strength 3 T", 0.8, 0.0]],
        columns=["models", "rows", "of", "at", "share_before", "share_after"],
    )
    found = shares_beside(facts_of("liver-combat"), within).set_index(["model", "of", "at"])
    assert found.loc[
        ("deep", "manufacturer", "field_strength 3 T"), ["published_before", "before", "after"]
    ].tolist() == [
        0.841,
        0.8,
        0.0,
    ]
