"""Repeated random splits of a run, and an internal test set of the development centre."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.report.tables import TABLES
from isthmus.stats.corrected import corrected_interval
from isthmus.stats.roc import auc
from isthmus.study import Plan, Result
from isthmus.study.run import run_study
from study.tables import feature_table, write_study

PLAN = """
[table]
path = "features.csv"
id = "patient"
outcome = "outcome"
centre = "centre"
split = "set"

[[models]]
name = "plain"
estimator = "logistic"

[validate]
folds = 2
repeats = 1
inner_folds = 2
bootstrap = 100
scheme = "random-splits"
splits = 3
test_share = 0.25

[audit]
permutations = 0
controls = []

[report]
embedding = "none"
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """60 patients who train, 40 of an internal test set, 20 external."""
    folder = tmp_path_factory.mktemp("splits")
    table = feature_table(patients=120, features=3, signal=1.5)
    table["set"] = np.array(["train", "internal", "train", "external", "train", "internal"])[np.arange(120) % 6]
    return run_study(Plan.read(write_study(folder, table, PLAN)), folder / "run", workers=1)


def of(result: Result, split: str, column: str = "estimate") -> pd.Series:
    table = result.tables["random_splits"]
    return table[table["split"].astype(str) == split].set_index("metric")[column]


def test_development_and_internal_patients_are_split(finished):
    """A quarter of the 100 tests, and no external patient is among them."""
    assert [of(finished, split)["n"] for split in ("1", "2", "3")] == [25.0] * 3


def test_the_mean_row_is_the_mean_of_the_splits(finished):
    """With the corrected interval, whose test part is a third of the training part."""
    areas = [of(finished, split)["auc"] for split in ("1", "2", "3")]
    expected = corrected_interval(areas, test_train_ratio=25 / 75)
    found = [of(finished, "mean", column)["auc"] for column in ("estimate", "lower", "upper", "sd")]
    assert found == pytest.approx([expected.estimate, expected.lower, expected.upper, np.std(areas, ddof=1)])


def test_the_internal_set_is_judged_by_itself(finished):
    """Its AUC is that of the final model's predictions of its 40 patients, who train nothing."""
    mine = finished.predictions[finished.predictions["split"] == "internal"]
    found = finished.metrics.set_index(["split", "metric"])["estimate"]
    assert (len(mine), found["internal", "n"], found["cv", "n"]) == (40, 40.0, 60.0)
    assert found["internal", "auc"] == pytest.approx(auc(mine["outcome"].to_numpy(), mine["probability"].to_numpy()))


def test_kappa_of_the_internal_set_has_an_interval(finished):
    """Agreement of the call at the frozen threshold with the outcome."""
    row = finished.metrics.set_index(["split", "metric"]).loc[("internal", "kappa")]
    assert row["lower"] < row["estimate"] < row["upper"]


def test_the_report_prints_the_splits(finished):
    """Three of them, their mean, and its interval."""
    view = TABLES["random_splits"].view(finished)
    assert view.frame["Split"].tolist() == ["1", "2", "3", "Mean (SD)", "95 % interval"]


def test_splits_change_no_other_number(finished, tmp_path: Path):
    """Without them, metrics.csv is the same."""
    document = {**finished.plan, "validate": {**finished.plan["validate"], "scheme": "repeated"}}
    base = finished.folder.parent
    run = run_study(Plan.parse(document, base=base), tmp_path / "run", workers=1)
    assert (run.folder / "metrics.csv").read_bytes() == (finished.folder / "metrics.csv").read_bytes()
