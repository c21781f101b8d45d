"""The main job on ready tables: what it leaves behind, that it is the same for any workers, and that it can be interrupted."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import isthmus
from isthmus.errors import PlanError, TableError
from isthmus.study import Model, Plan, Result
from isthmus.study import run as run_module
from isthmus.study.run import audit_run, excluded_by_error, run_study
from study.tables import PLAN, feature_table, write_study

TABLES = (
    "cases.csv", "predictions.csv", "metrics.csv", "comparisons.csv", "selected.csv", "tables/thresholds.csv",
    "tables/null_study.csv",
)  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One finished run."""
    folder = tmp_path_factory.mktemp("study")
    return run_study(Plan.read(write_study(folder)), folder / "run", workers=1)


def test_everything_promised_is_there(finished: Result) -> None:
    """The run folder holds every file of the contract that this study has."""
    others = (
        "plan.lock.toml", "provenance.json", "model.isthmus", "acquisition.csv", "features/table.parquet",
        "features/table.columns.csv",
    )  # fmt: skip
    for name in (*TABLES, *others):
        assert (finished.folder / name).is_file(), name


def test_predictions_have_the_columns_of_the_contract(finished: Result) -> None:
    """predictions.csv: patient, model, split, repeat, fold, outcome, probability."""
    assert list(finished.predictions.columns) == [
        "patient",
        "model",
        "split",
        "repeat",
        "fold",
        "outcome",
        "probability",
    ]


def test_every_development_patient_is_predicted_once_a_repeat(finished: Result) -> None:
    """Out-of-fold predictions: each patient exactly once in every repeat."""
    cv = finished.predictions.query("split == 'cv' and model == 'lasso'")
    assert (cv.groupby(["patient", "repeat"]).size() == 1).all()
    assert cv["patient"].nunique() == 40


def test_the_external_centre_is_never_out_of_fold(finished: Result) -> None:
    """Patients of the external centre appear in the external split only."""
    external = set(finished.cases.query("centre == 'B'")["patient"])
    splits = finished.predictions[finished.predictions["patient"].isin(external)]["split"]
    assert set(splits) == {"external"}


def test_the_planted_signal_is_found(finished: Result) -> None:
    """The model sees a strong planted signal, in cross-validation and outside."""
    auc = finished.metrics.query("model == 'lasso' and metric == 'auc'").set_index("split")["estimate"]
    assert auc["cv"] > 0.75
    assert auc["external"] > 0.75


def test_every_estimate_says_its_method(finished: Result) -> None:
    """No number without a method."""
    assert (finished.metrics["method"].str.len() > 0).all()


def test_lock_file_is_a_plan(finished: Result) -> None:
    """plan.lock.toml is a whole plan again."""
    document = tomllib.loads((finished.folder / "plan.lock.toml").read_text())
    assert Plan.parse(document).document() == finished.plan


def test_provenance_names_versions_seed_and_inputs(finished: Result) -> None:
    """provenance.json: what a reader needs to do it again."""
    document = json.loads((finished.folder / "provenance.json").read_text())
    assert {"versions", "machine", "seed", "started", "ended", "inputs"} <= set(document)
    assert len(document["inputs"]["features.csv"]) == 64


def test_same_bytes_for_any_number_of_workers(finished: Result, tmp_path: Path) -> None:
    """Two workers and one give the same tables and the same model file, byte for byte."""
    plan = Plan.read(finished.folder.parent / "plan.toml")
    run_study(plan, tmp_path / "run", workers=2)
    for name in (*TABLES, "model.isthmus"):
        assert (tmp_path / "run" / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_interrupted_and_resumed_is_the_same(finished: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the middle of the folds, --resume gives the same tables, byte for byte, and does not repeat finished folds."""
    plan = Plan.read(finished.folder.parent / "plan.toml")
    from isthmus.study import evaluate

    original, calls = evaluate.evaluate_fold, []

    def stops(*args: object, **kwargs: object) -> object:
        if len(calls) == 4:
            raise KeyboardInterrupt
        calls.append(1)
        return original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluate, "evaluate_fold", stops)
    with pytest.raises(KeyboardInterrupt):
        run_study(plan, tmp_path / "run", workers=1)
    again: list[int] = []

    def counts(*args: object, **kwargs: object) -> object:
        again.append(1)
        return original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluate, "evaluate_fold", counts)
    run_study(plan, tmp_path / "run", workers=1, resume=True)
    assert len(again) == 12 + 12 - 4  # folds of the study and of the null study, less the finished ones
    for name in (*TABLES, "model.isthmus"):
        assert (tmp_path / "run" / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_row_order_changes_nothing(finished: Result, tmp_path: Path) -> None:
    """The table with its rows in another order gives the same numbers."""
    table = feature_table().sample(frac=1, random_state=1)
    result = run_study(Plan.read(write_study(tmp_path, table)), tmp_path / "run", workers=1)
    assert (result.folder / "metrics.csv").read_bytes() == (finished.folder / "metrics.csv").read_bytes()


def test_audit_adds_permutations(finished: Result, tmp_path: Path) -> None:
    """isthmus audit: the null study of a finished run with more permutations, its AUC around 0.5."""
    shutil.copytree(finished.folder, tmp_path / "run")
    table = audit_run(tmp_path / "run", permutations=4, workers=1).tables["null_study"]
    assert (table["permutations"] == 4).all()
    assert table["null_mean"].between(0.25, 0.75).all()


def test_model_file_predicts_to_the_last_bit(finished: Result) -> None:
    """Predictions after loading the model file equal those of the run."""
    model = Model.load(finished.folder / "model.isthmus")
    ours = model.predict(finished.folder.parent / "features.csv").set_index("patient")["probability"]
    theirs = finished.predictions.query("model == 'lasso' and split in ['train', 'external']").set_index("patient")[
        "probability"
    ]
    assert (ours.loc[theirs.index] == theirs).all()


def test_public_names(finished: Result) -> None:
    """isthmus.run, isthmus.report, isthmus.Model, isthmus.Plan: the calls of the README."""
    assert isthmus.Model.load(finished.folder / "model.isthmus").name == "lasso"
    assert isthmus.Plan is Plan
    assert isthmus.run is run_module.run_study
    assert isthmus.report(finished).name == "report.html"


def test_nothing_was_excluded_by_an_error(finished: Result) -> None:
    """A clean run is not one with errors."""
    assert not excluded_by_error(finished)


def test_external_patients_touch_nothing(finished: Result, tmp_path: Path) -> None:
    """Rule L8: noise and flipped outcomes in the external centre leave the model file and every out-of-fold number as they are."""
    table = feature_table()
    external = table["centre"] == "B"
    noise = np.random.default_rng(9).standard_normal((int(external.sum()), 8)) * 100
    table.loc[external, [f"x{n}" for n in range(8)]] = noise
    table.loc[external, "outcome"] = 1 - table.loc[external, "outcome"]
    result = run_study(Plan.read(write_study(tmp_path, table)), tmp_path / "run", workers=1)
    for name in ("selected.csv", "tables/thresholds.csv", "tables/null_study.csv"):
        assert (result.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name
    ours, theirs = (r.predictions.query("split in ['cv', 'train']").reset_index(drop=True) for r in (result, finished))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def test_one_person_under_two_names_is_pointed_out(tmp_path: Path) -> None:
    """Rule L11: near-duplicate patients are named in the notes of the run."""
    table = feature_table(60, features=30)
    table.iloc[7, 3:] = table.iloc[2, 3:]
    result = run_study(Plan.read(write_study(tmp_path, table)), tmp_path / "run", workers=1)
    assert result.tables["notes"]["note"].str.contains("P002 and P007 have almost the same features").any()


def spoilt(column: str, value: object, row: int = 3) -> pd.DataFrame:
    table = feature_table().astype({column: object})
    table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (feature_table().assign(outcome=1), "outcome.*60"),
        (spoilt("outcome", 2), 'task = "multiclass"|positive'),
        (spoilt("x3", "12,5"), "'x3'.*P003.*'12,5'"),
        (pd.concat([feature_table(), feature_table().head(2)]), "duplicate patients.*P000"),
        (feature_table(20).head(7), "fewer than the 3 folds"),
    ],
)
def test_a_wrong_table_says_what_to_do(table: pd.DataFrame, message: str, tmp_path: Path) -> None:
    """One-class outcome, third value, text in a number, duplicate patient, too few patients: each named."""
    with pytest.raises(TableError, match=message):
        run_study(Plan.read(write_study(tmp_path, table)), tmp_path / "run", workers=1)


def test_a_corrected_table_runs_in_the_same_folder(tmp_path: Path) -> None:
    """A run refused for its table leaves nothing in the way: corrected, the same command works."""
    plan = Plan.read(write_study(tmp_path, feature_table().assign(outcome=1)))
    with pytest.raises(TableError):
        run_study(plan, tmp_path / "run", workers=1)
    write_study(tmp_path)
    assert len(run_study(plan, tmp_path / "run", workers=1).metrics)


def test_unreadable_encoding(tmp_path: Path) -> None:
    """A file in no known encoding is refused by name."""
    plan = Plan.read(write_study(tmp_path))
    (tmp_path / "features.csv").write_bytes("patient,outcome\n".encode("utf-16-le") + bytes(range(256)))
    with pytest.raises(TableError, match=r"features\.csv"):
        run_study(plan, tmp_path / "run", workers=1)


def test_unknown_external_centre(tmp_path: Path) -> None:
    """An external centre that nobody belongs to is an error that lists the centres."""
    plan = Plan.read(write_study(tmp_path, plan=PLAN.replace('["B"]', '["Z"]')))
    with pytest.raises(PlanError, match="'?Z'?.*A"):
        run_study(plan, tmp_path / "run", workers=1)


def test_null_cohort_gives_half(tmp_path: Path) -> None:
    """Without any signal the cross-validated AUC is around 0.5 and its interval holds 0.5."""
    table = feature_table(120, signal=0.0, seed=5)
    result = run_study(Plan.read(write_study(tmp_path, table)), tmp_path / "run", workers=1)
    row = result.metrics.query("model == 'lasso' and split == 'cv' and metric == 'auc'").iloc[0]
    assert row["lower"] <= 0.5 <= row["upper"]
    assert np.isfinite(row["estimate"])
