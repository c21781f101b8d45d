"""Three classes, ordered classes and a time to event, from a table on disk to the model file and the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import isthmus
from isthmus.errors import PlanError, TableError
from isthmus.report import write_report
from isthmus.stats import multiclass
from isthmus.stats.survival.concordance import harrell_c
from isthmus.study.apply import apply_model, totals
from isthmus.study.model import Model
from isthmus.study.plan import Plan
from isthmus.study.result import Result
from isthmus.study.run import run_study
from study.outcomes import class_table, document, survival_table

TASKS = ["multiclass", "ordinal", "survival"]
MEASURE = {"multiclass": "macro_auc", "ordinal": "ordinal_c", "survival": "c_index"}


@pytest.fixture
def run_of(request: pytest.FixtureRequest):
    return lambda task: request.getfixturevalue(f"{task}_run")


def _metric(result: Result, model: str, split: str, metric: str) -> float:
    table = result.metrics.set_index(["model", "split", "metric"])
    return float(table.loc[(model, split, metric), "estimate"])


@pytest.mark.parametrize("task", TASKS)
def test_a_planted_signal_is_found(run_of, task):
    """Every model ranks unseen patients of a strong signal, inside and outside."""
    result = run_of(task)
    found = [_metric(result, m, s, MEASURE[task]) for m in result.models() for s in ("cv", "external")]
    assert min(found) > 0.6


@pytest.mark.parametrize("task", TASKS)
def test_the_measure_has_an_interval_and_a_method(run_of, task):
    """The first number of every model and split has limits around it, and says how they were made."""
    table = run_of(task).metrics.query("metric == @MEASURE[@task]")
    inside = (table["lower"] < table["estimate"]) & (table["estimate"] < table["upper"]) & table["method"].ne("")
    assert inside.all()


def test_predictions_of_classes(multiclass_run):
    """predictions.csv: the probabilities of the classes add up to 1, and the class called is the most probable one."""
    table = multiclass_run.predictions
    shares = table[["probability:I", "probability:II", "probability:III"]]
    called = np.array(["I", "II", "III"])[shares.to_numpy().argmax(axis=1)]
    assert (np.allclose(shares.sum(axis=1), 1), (called == table["class"]).all()) == (True, True)


def test_predictions_of_times(survival_run):
    """predictions.csv: the time of the table, a probability within 0 and 1 and a group of each row."""
    table = survival_run.predictions
    times = survival_table().set_index("ID")["time"]
    same = np.allclose(table["time"], times.loc[table["patient"]])
    assert (same, table["probability"].between(0, 1).all(), set(table["group"])) == (True, True, {"low", "high"})


def test_c_index_is_the_mean_of_the_folds(survival_run):
    """The cross-validated C-index from predictions.csv, by hand."""
    rows = survival_run.predictions.query("model == 'lasso' and split == 'cv'")
    folds = [harrell_c(f["time"], f["outcome"], f["risk"]) for _, f in rows.groupby(["repeat", "fold"])]
    assert _metric(survival_run, "lasso", "cv", "c_index") == pytest.approx(np.mean(folds), abs=1e-12)


def test_macro_auc_is_the_mean_of_the_folds(multiclass_run):
    """The cross-validated macro AUC from predictions.csv, by hand."""
    rows = multiclass_run.predictions.query("model == 'linear' and split == 'cv'")
    columns = ["probability:I", "probability:II", "probability:III"]
    folds = [multiclass.macro_auc(f["outcome"], f[columns]) for _, f in rows.groupby(["repeat", "fold"])]
    assert _metric(multiclass_run, "linear", "cv", "macro_auc") == pytest.approx(np.mean(folds), abs=1e-12)


def test_groups_are_cut_where_training_said(survival_run):
    """The external patients' groups follow the final model's cut, which is in thresholds.csv."""
    cuts = survival_run.thresholds
    cut = float(cuts[(cuts["model"] == "lasso") & cuts["fold"].isna()]["cut_1"].iloc[0])
    rows = survival_run.predictions.query("model == 'lasso' and split == 'external'")
    assert ((rows["risk"] >= cut) == (rows["group"] == "high")).all()


def test_folds_hold_every_class(multiclass_run):
    """Each fold has patients of each class, in nearly equal numbers."""
    rows = multiclass_run.predictions.query("model == 'linear' and split == 'cv'")
    counts = rows.groupby(["fold", "outcome"]).size().unstack()
    assert int((counts.max() - counts.min()).max()) <= 1


def test_folds_share_the_events(survival_run):
    """Each fold has nearly the same number of events."""
    rows = survival_run.predictions.query("model == 'lasso' and split == 'cv'")
    counts = rows.groupby("fold")["outcome"].sum()
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("task", TASKS)
def test_models_are_compared(run_of, task):
    """Every pair is tested in cross-validation and outside."""
    assert set(run_of(task).comparisons["split"]) == {"cv", "external"}


@pytest.mark.parametrize("task", TASKS)
def test_the_model_file_predicts_to_the_last_bit(run_of, task):
    """`model.isthmus`, applied to the table of the study, gives the external patients what the run gave them."""
    result = run_of(task)
    model = Model.load(result.folder / "model.isthmus")
    applied = apply_model(model, result.folder.parent / "table.csv").predictions.set_index("patient")
    wanted = result.predictions.query("model == @model.name and split == 'external'").set_index("patient")
    assert (applied.loc[wanted.index, "probability"] == wanted["probability"]).all()


@pytest.mark.parametrize(
    ("task", "columns"),
    [
        ("multiclass", ["probability:I", "probability:II", "probability:III"]),
        ("survival", ["risk"]),
    ],
)
def test_what_apply_adds(run_of, task, columns):
    """Beside the usual columns: the probability of each class, or the risk."""
    result = run_of(task)
    applied = apply_model(Model.load(result.folder / "model.isthmus"), result.folder.parent / "table.csv")
    assert list(applied.predictions) == ["patient", "model", "probability", "class", "reason", *columns]


@pytest.mark.parametrize("task", TASKS)
def test_another_site_sends_totals(run_of, task):
    """Without patient rows: the measure of the task, with its interval."""
    result = run_of(task)
    model = Model.load(result.folder / "model.isthmus")
    table = totals(model, apply_model(model, result.folder.parent / "table.csv"))
    assert np.isfinite(table.set_index("metric").loc[MEASURE[task], ["estimate", "lower", "upper"]]).all()


def test_the_manifest_says_horizon_and_cuts(survival_run):
    """The model file holds the time of its probabilities and where its groups are cut."""
    model = Model.load(survival_run.folder / "model.isthmus")
    assert (model.horizon, len(model.cuts)) == (20.0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["multiclass", "survival"])
def test_two_workers_give_the_same_bytes(run_of, task, tmp_path):
    """Predictions, metrics and model file do not depend on the number of workers."""
    one = run_of(task)
    two = run_study(Plan.parse(document(tmp_path, task), base=tmp_path), tmp_path / "two", workers=2)
    names = ("predictions.csv", "metrics.csv", "comparisons.csv", "tables/null_study.csv", "model.isthmus")
    assert [(two.folder / n).read_bytes() == (one.folder / n).read_bytes() for n in names] == [True] * len(names)


@pytest.mark.parametrize("task", TASKS)
def test_the_report_has_no_section_of_another_outcome(run_of, task):
    """No ROC of two classes, no threshold, in a report of classes or times."""
    text = write_report(run_of(task)).read_text(encoding="utf-8")
    assert [word in text for word in ("sensitivity and specificity at thresholds", "<h3>Thresholds</h3>")] == [
        False
    ] * 2


def test_a_confusion_matrix_counts_everybody(multiclass_run):
    """tables/confusion.csv: the counts of a split are its patients."""
    table = multiclass_run.tables["confusion"].query("model == 'linear' and split == 'cv'")
    patients = multiclass_run.predictions.query("model == 'linear' and split == 'cv'")["patient"].nunique()
    assert table["n"].sum() == pytest.approx(patients)


def test_hazard_ratios_of_a_plain_model(survival_run):
    """tables/hazard_ratios_plain.csv: f0 shortens the time, and its test of proportional hazards is there."""
    row = survival_run.tables["hazard_ratios_plain"].set_index("term").loc["f0"]
    assert (row["lower"] > 1, 0 <= row["ph_p"] <= 1) == (True, True)


# ---- what is refused ----------------------------------------------------------------------------------------------


def test_a_class_smaller_than_the_folds_is_an_error(tmp_path):
    """Two patients of a class cannot be spread over three folds."""
    plan = document(tmp_path, "multiclass")
    table = class_table()
    inside = table[(table["centre"] == "A") & (table["stage"] == "II")].index[2:]
    table.drop(inside).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(TableError, match="smallest class has 2 development patients"):
        run_study(Plan.parse(plan, base=tmp_path), tmp_path / "run", workers=1)


@pytest.mark.parametrize(
    ("task", "section", "said", "message"),
    [
        ("multiclass", "validate", {"horizon": 12.0}, "horizon belongs to task = \"survival\""),
        ("survival", "validate", {"threshold": 0.3}, "threshold belongs to task = \"binary\""),
        ("survival", "models", [{"name": "m", "estimator": "lasso"}], "does not learn a survival outcome"),
        ("multiclass", "models", [{"name": "m", "estimator": "cox"}], "does not learn a multiclass outcome"),
    ],
)  # fmt: skip
def test_settings_of_another_outcome_are_refused(tmp_path, task, section, said, message):
    """What would have no effect, or cannot be fitted, is said before anything runs."""
    plan = document(tmp_path, task)
    plan[section] = {**plan[section], **said} if isinstance(said, dict) else said
    with pytest.raises(PlanError, match=message):
        Plan.parse(plan, base=tmp_path)


def test_default_models_of_each_task(tmp_path):
    """A plan that names no model gets those that know its outcome."""
    plans = [document(tmp_path, task) for task in TASKS]
    made = [
        Plan.parse({k: v for k, v in plan.items() if k not in ("models", "explain")}, base=tmp_path) for plan in plans
    ]
    assert [plan.models[0].estimator for plan in made] == ["multinomial", "proportional_odds", "lasso_cox"]


def test_too_few_events_for_a_plain_model_are_warned_of(survival_run):
    """Cox without a penalty on more than a column per ten events says so in the folds."""
    table = survival_run.tables.get("fold_warnings", pd.DataFrame(columns=["model", "warning"]))
    events = survival_run.predictions.query("model == 'plain' and split == 'train'")["outcome"].sum()
    warned = table.loc[table["model"] == "plain", "warning"].str.contains("fewer than 10 events a column").any()
    assert warned == bool(events * 2 / 3 < 50)


def test_a_horizon_that_the_plan_does_not_name_is_the_median_event_time(tmp_path):
    """Without [validate] horizon: half of the training events come before it, and the report says where it came from."""
    plan = document(tmp_path, "survival", audit={"permutations": 0})
    plan["validate"] = {k: v for k, v in plan["validate"].items() if k not in ("horizon", "times")}
    result = run_study(Plan.parse(plan, base=tmp_path), tmp_path / "run", workers=1)
    table = survival_table().query("centre == 'A' and event == 1")
    assert json.loads(Model.load(result.folder / "model.isthmus").manifest["horizon"].__repr__()) == pytest.approx(
        np.median(table["time"])
    )


# ---- a case table and its clinical block --------------------------------------------------------------------------


def test_a_case_table_with_clinical_columns(tmp_path: Path):
    """[cohort] with `time`, and a Cox model of [clinical] columns: the time is no predictor."""
    table = survival_table().rename(columns={"ID": "patient"})
    table.to_csv(tmp_path / "cases.csv", index=False)
    plan = {
        "cohort": {"table": "cases.csv", "outcome": "event", "time": "time", "task": "survival"},
        "clinical": {"columns": ["f0", "f1"]},
        "models": [{"name": "clinical", "estimator": "cox"}],
        "validate": {"folds": 3, "repeats": 1, "bootstrap": 100, "horizon": 20.0},
        "audit": {"permutations": 0},
    }
    result = isthmus.run(Plan.parse(plan, base=tmp_path), out=tmp_path / "run", workers=1)
    assert set(result.selected["feature"]) == {"f0", "f1"}


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_permuted_outcomes_give_one_half(task, tmp_path):
    """Twenty permutations: the mean of the measure is 0.5 within three Monte-Carlo standard errors."""
    plan = document(tmp_path, task, audit={"permutations": 20})
    table = run_study(Plan.parse(plan, base=tmp_path), tmp_path / "run", workers=2).tables["null_study"]
    assert (abs(table["null_mean"] - 0.5) <= 3 * table["mcse"]).all()
