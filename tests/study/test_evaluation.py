"""What a run adds to its evaluation when the plan asks for it: subgroups, sample size, optimism, centres left out."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.models.settings import ModelSettings
from isthmus.stats import roc
from isthmus.study import Plan, Result
from isthmus.study.check import check_plan
from isthmus.study.evaluate import Candidate, Job, _folds
from isthmus.study.optimism import optimism_study
from isthmus.study.run import run_study
from isthmus.study.store import RunFolder
from isthmus.table import Outcome
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from study.tables import feature_table, write_study

PLAN = """
[table]
path = "features.csv"
id = "patient"
outcome = "outcome"
centre = "centre"
ignore = ["sex"]

[[models]]
name = "plain"
estimator = "logistic"

[validate]
folds = 3
repeats = 1
inner_folds = 2
bootstrap = 100
threshold = 0.5
scheme = "leave-one-centre-out"
optimism = 4
subgroups = ["sex", "x1 > 0"]
subgroup_minimum = 5

[audit]
permutations = 0
"""
NEW = ("sample_size", "subgroups", "optimism", "centres")


def _table() -> pd.DataFrame:
    table = feature_table(patients=90, features=4, signal=1.5)
    number = np.arange(90)
    return table.assign(centre=np.array(["A", "B", "C"])[number % 3], sex=np.where(number % 2 == 0, "f", "m"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("evaluation")
    return run_study(Plan.read(write_study(folder, _table(), PLAN)), folder / "run", workers=1)


def test_the_tables_are_there(finished: Result) -> None:
    """Each of the four leaves its table."""
    assert all(len(finished.tables[name]) for name in NEW)


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(finished: Result, tmp_path: Path) -> None:
    """The number of workers changes nothing in them."""
    other = run_study(Plan.read(write_study(tmp_path, _table(), PLAN)), tmp_path / "run", workers=2)
    for name in NEW:
        ours, theirs = (r.folder / "tables" / f"{name}.csv" for r in (finished, other))
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_sample_size_is_said_before_anything_is_fitted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence on what n supports stands in the log though the first fit fails."""
    from isthmus.study import run as run_module

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fit")

    monkeypatch.setattr(run_module, "cross_validate", fail)
    monkeypatch.setattr(run_module, "evaluate_jobs", fail)
    with caplog.at_level(logging.INFO, "isthmus"), pytest.raises(RuntimeError, match="a fit"):
        run_study(Plan.read(write_study(tmp_path, _table(), PLAN)), tmp_path / "run", workers=1)
    assert any("they support" in message for message in caplog.messages)


def test_check_says_what_n_supports(tmp_path: Path) -> None:
    """`isthmus check` counts the candidates of every model and names the patients they would need."""
    checked = check_plan(write_study(tmp_path, _table(), PLAN))
    assert "4 candidate parameters before selection" in checked.as_text()


def test_sample_size_knows_what_was_chosen(finished: Result) -> None:
    """After the run the table holds how many columns the final model uses."""
    row = finished.tables["sample_size"].iloc[0]
    assert (row["candidates"], row["selected"], row["n"]) == (4, 4, 90)


def test_apparent_is_the_training_split(finished: Result) -> None:
    """The apparent AUC of the optimism table is that of the final model on its own rows."""
    rows = finished.predictions.query("split == 'train'")
    found = finished.tables["optimism"].set_index("metric").loc["auc", "apparent"]
    assert found == pytest.approx(roc.auc(rows["outcome"], rows["probability"]))


def test_optimism_of_a_logistic_regression_is_positive(finished: Result) -> None:
    """A fit is better on its own sample: apparent AUC above the corrected one, slope shrunk below 1."""
    table = finished.tables["optimism"].set_index("metric")
    assert table.loc["auc", "optimism"] > 0
    assert table.loc["calibration_slope", "corrected"] < 1


def test_finished_draws_are_not_done_again(finished: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """The draws come from the store of the run where it holds them."""
    from isthmus.study import data as data_module
    from isthmus.study import optimism
    from isthmus.study.evaluate import candidate_of
    from isthmus.study.plan import with_default_steps

    plan = Plan.read(finished.folder.parent / "plan.toml")
    data = data_module.prepare(plan, workers=1, store=RunFolder(finished.folder))
    candidates = [candidate_of(plan, data, with_default_steps(plan, model)) for model in plan.models]

    def fail(*_: object) -> None:
        raise AssertionError("a finished draw was computed again")

    monkeypatch.setattr(optimism, "_measured", fail)
    again = optimism_study(
        candidates, data.outcome_of("train"), plan.validation, store=RunFolder(finished.folder), workers=1
    )
    np.testing.assert_allclose(again["corrected"], finished.tables["optimism"]["corrected"])


def test_each_centre_is_judged_by_a_model_that_never_saw_it(finished: Result) -> None:
    """Three centres of 30 patients, the summary and the prediction."""
    table = finished.tables["centres"]
    assert list(zip(table["centre"], table["n"], strict=True)) == [
        ("A", 30), ("B", 30), ("C", 30), ("all centres", 90), ("a new centre", 90),
    ]  # fmt: skip


def test_levels_of_a_subgroup_add_up(finished: Result) -> None:
    """The patients of its levels are all patients."""
    table = finished.tables["subgroups"].query("metric == 'auc' and split == 'cv'")
    assert table.groupby("subgroup")["n"].sum().to_dict() == {"sex": 90, "x1 > 0": 90}


def test_an_unknown_subgroup_stops_the_run_before_anything_is_fitted(tmp_path: Path) -> None:
    """A misspelt column is an error that leaves no run behind."""
    plan = Plan.read(write_study(tmp_path, _table(), PLAN.replace('"sex", ', '"sexx", ')))
    with pytest.raises(PlanError, match="'sexx'"):
        run_study(plan, tmp_path / "run", workers=1)
    assert not (tmp_path / "run" / "predictions.csv").exists()


def test_what_no_fit_reads_keeps_a_fold(tmp_path: Path) -> None:
    """The name of a finished fold depends on the inner folds and not on intervals, subgroups or the anticipated AUC."""
    patients = pd.Index([f"P{i:02d}" for i in range(20)])
    outcome = Outcome("y", "binary", pd.Series(np.arange(20) % 2, index=patients))
    X = pd.DataFrame({"x": np.arange(20.0)})
    candidate = Candidate(ModelSettings(name="m", estimator="lasso"), X, pd.Series(patients))
    splits = outer_splits(outcome.values, folds=2, repeats=1, seed=1)

    def names(**changed: object) -> list[str]:
        settings = ValidateSettings(**changed)  # type: ignore[arg-type]
        return [task.key for task in _folds(Job(candidate, outcome, splits, settings), RunFolder(tmp_path))]

    unread = {"bootstrap": 500, "confidence": 0.9, "expected_auc": 0.8, "subgroups": ["x > 5"], "optimism": 10}
    assert names(**unread) == names()
    assert names(inner_folds=4) != names()
