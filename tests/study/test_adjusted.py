"""A study whose models resample, weigh, search and recalibrate: the same bytes however it is run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from isthmus.study import Model, Plan, Result
from isthmus.study.run import run_study
from study.tables import PLAN, feature_table, write_study

ADJUSTED = (
    PLAN.split("[[models]]")[0]
    + """
[[models]]
name = "smote"
estimator = "lightgbm"
settings = { rounds = 10 }
steps = ["impute", "encode", "variance", "correlation", "smote"]
tuning = { leaves = [2, 4] }
search = { method = "optuna", draws = 3 }
calibration = "logistic"

[[models]]
name = "balanced"
estimator = "random_forest"
settings = { trees = 20 }
class_weight = "balanced"

[validate]
folds = 3
repeats = 2
inner_folds = 3
bootstrap = 100

[audit]
permutations = 1
"""
)
TABLES = (
    "predictions.csv", "metrics.csv", "tables/thresholds.csv", "tables/trials.csv", "tables/recalibration.csv",
    "tables/null_study.csv",
)  # fmt: skip


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (*TABLES, "model.isthmus")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("adjusted")
    return run_study(Plan.read(write_study(folder, plan=ADJUSTED)), folder / "run", workers=1)


@pytest.mark.slow
def test_two_workers_and_a_resumed_run_give_the_same_bytes(finished: Result, tmp_path: Path) -> None:
    """Half of the finished folds are lost, the rest is done again by two workers: the same tables and model file."""
    folder = tmp_path / "study"
    plan = Plan.read(write_study(folder, plan=ADJUSTED))
    run_study(plan, folder / "run", workers=2)
    for piece in sorted((folder / "run" / ".work" / "folds").rglob("*"))[::2]:
        if piece.is_file():
            piece.unlink()
    run_study(plan, folder / "run", workers=2, resume=True)
    assert content(folder / "run") == content(finished.folder)


def test_calibration_before_and_after_is_reported(finished: Result) -> None:
    """Both models, before and after: weights and SMOTE push the mean risk away from the share of events, the report shows it back."""
    table = finished.tables["recalibration"].set_index(["model", "probability", "metric"])["estimate"]
    off = [
        abs(table["smote", which, "mean_probability"] - table["smote", which, "prevalence"])
        for which in ("before", "after")
    ]
    assert (set(table.index.get_level_values(0)), off[1] < off[0]) == ({"smote", "balanced"}, True)


def test_every_trial_is_in_the_table(finished: Result) -> None:
    """Three draws or fewer (a repeat is not tried again) in each fold and in the final model."""
    trials = finished.tables["trials"]
    per_fold = trials.groupby(["repeat", "fold"], dropna=False).size()
    assert (len(per_fold), per_fold.between(1, 3).all()) == (7, True)


def test_the_model_file_gives_the_adjusted_risk(finished: Result) -> None:
    """Read again, the final model predicts what the run wrote for its training rows, to the last bit."""
    model = Model.load(finished.folder / "model.isthmus")
    written = finished.predictions.query("model == 'smote' and split == 'train'").set_index("patient")["probability"]
    rows = feature_table().set_index("patient").loc[written.index]
    assert model.predict_rows(pd.DataFrame(rows)[model.columns]) == pytest.approx(written.to_numpy(), abs=0)
