"""Models that take the risks of other models, from the plan to the model file."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import LeakageError, PlanError
from isthmus.stats.log_odds import log_odds
from isthmus.study import Plan
from isthmus.study.apply import apply_model
from isthmus.study.data import prepare
from isthmus.study.evaluate import BUILD, candidate_of, null_study
from isthmus.study.model import Model
from isthmus.study.plan import with_default_steps
from isthmus.study.result import Result
from isthmus.study.run import run_study
from isthmus.study.store import RunFolder
from isthmus.table.memory import Memory
from isthmus.validate.nested import fit_final
from study.outcomes import document
from study.structured import write_blob_study

FUSED: dict[str, Any] = {"name": "late", "risks": ["first", "texture"], "blocks": ["clinical"], "estimator": "logistic"}
DOCUMENT: dict[str, Any] = {
    "cohort": {"table": "cases.csv", "outcome": "metastasis"},
    "clinical": {"columns": {"age": {}}},
    "features": [
        {"name": "first", "image": "ct", "families": ["firstorder"]},
        {"name": "texture", "image": "ct", "families": ["glcm"]},
    ],
    "models": [
        FUSED,
        {"name": "first", "blocks": ["first"], "estimator": "lasso"},
        {"name": "texture", "blocks": ["texture"], "estimator": "logistic", "settings": {"C": 1.0}},
        {"name": "mean", "risks": ["first", "texture"], "estimator": "mean_risk", "threshold": 0.5},
        {"name": "again", "risks": ["late", "texture"], "estimator": "logistic", "settings": {"C": 1.0}},
    ],
    "validate": {"folds": 2, "repeats": 1, "inner_folds": 2, "bootstrap": 100, "external": {"centre": ["B"]}},
    "explain": {"models": ["late"]},
    "audit": {"permutations": 0, "controls": []},
    "report": {"pictures": 0, "embedding": "none"},
    "compute": {"workers": 1},
}  # fmt: skip


def plan_of(folder: Path, *models: dict[str, Any], **sections: Any) -> Plan:
    document = {**deepcopy(DOCUMENT), **sections}
    if models:
        document["models"] = list(models)
        document.pop("explain")
    return Plan.parse(document, base=folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty-two patients of two centres. Do not change them."""
    folder = tmp_path_factory.mktemp("cohort")
    cases = write_blob_study(folder, patients=32, second_centre=24, shape=(8, 26, 28))
    cases["age"] = np.random.default_rng(4).normal(60, 9, len(cases)).round(1)
    cases.to_csv(folder / "cases.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run_study(plan_of(folder), tmp_path_factory.mktemp("study") / "run")


def external(result: Result, model: str) -> pd.Series[Any]:
    rows = result.predictions
    return rows[(rows["model"] == model) & (rows["split"] == "external")].set_index("patient")["probability"]


def test_a_model_sees_the_risks_of_others_and_its_own_block(run: Result) -> None:
    """Its columns are one a member, and those of the blocks it names."""
    chosen = run.selected
    assert set(chosen.loc[chosen["model"] == "late", "feature"]) <= {"risk:first", "risk:texture", "clinical.age"}


def test_new_patients_get_the_risks_of_the_final_members(run: Result) -> None:
    """The mean of two models is the mean of their own predictions of the external patients."""
    mean = (external(run, "first") + external(run, "texture")) / 2
    np.testing.assert_allclose(external(run, "mean"), mean, rtol=0, atol=1e-12)


def test_a_fused_model_costs_what_its_own_fit_costs(run: Result) -> None:
    """Held-out patients get from the mean the mean of what the members said of them in the same folds."""
    rows = run.predictions[run.predictions["split"] == "cv"].set_index(["patient", "repeat", "fold"])
    parts = {name: rows.loc[rows["model"] == name, "probability"] for name in ("first", "texture", "mean")}
    np.testing.assert_allclose(parts["mean"], (parts["first"] + parts["texture"]) / 2, rtol=0, atol=1e-12)


def test_applying_the_file_gives_the_study_s_predictions(run: Result, folder: Path) -> None:
    """The members travel in the model file, and are read without running anything."""
    applied = apply_model(Model.load(run.folder / "model.isthmus"), folder / "cases.csv", workers=1)
    ours, study = applied.predictions.set_index("patient")["probability"], external(run, "late")
    pd.testing.assert_series_equal(ours.loc[study.index], study, check_exact=True)


def test_what_plays_a_part_are_the_inputs_behind_the_risks(run: Result) -> None:
    """Notes on a new patient look at the features the members use."""
    used = Model.load(run.folder / "model.isthmus").used
    assert {"risk:first", "risk:texture"} <= used
    assert any(name.startswith("texture.") for name in used)


def test_the_nomogram_and_the_explanation_speak_of_risks(run: Result) -> None:
    """The axes of the fused model are the members' risks and the clinical column."""
    explained = pd.read_csv(run.folder / "tables" / "explanation_late.csv")
    drawn = pd.read_csv(run.folder / "tables" / "nomogram_late.csv")["predictor"].dropna()
    assert set(explained["feature"]) == set(drawn) == {"risk:first", "risk:texture", "clinical.age"}


def test_the_lock_file_is_the_same_plan(run: Result, folder: Path) -> None:
    """No blocks stay no blocks."""
    lock = Plan.read(run.folder / "plan.lock.toml").document()
    assert Plan.parse(lock, base=folder).document() == lock
    assert [model.get("blocks") for model in lock["models"]][3:] == [[], []]


@pytest.mark.slow
def test_two_workers_give_the_same_bits(run: Result, folder: Path, tmp_path: Path) -> None:
    """Members fitted in one process with the model or in another are the same."""
    again = run_study(plan_of(folder), tmp_path / "run", workers=2)
    pd.testing.assert_frame_equal(run.predictions, again.predictions, check_exact=True)


def test_training_rows_have_risks_of_models_that_had_not_seen_them(folder: Path, tmp_path: Path) -> None:
    """The columns a fused model learns from are its member's out-of-fold risks, not those of the fitted member."""
    plan = plan_of(folder)
    store = RunFolder(tmp_path / "run")
    store.begin("x", resume=False)
    data = prepare(plan, workers=1, store=store)
    candidate = candidate_of(plan, data, with_default_steps(plan, plan.model("mean")))
    design = candidate.design(data.outcome_of("train"))
    fitted = fit_final(candidate.spec, design, build=BUILD, settings=plan.validation, seed=1, memory=Memory())
    members = fitted.pipeline.members
    inside, outside = members.inside["risk:texture"], members.risks(design.X)["risk:texture"]
    assert not np.allclose(inside, outside)
    assert inside.index.equals(design.X.index)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([{"name": "a", "risks": ["b"], "estimator": "logistic"}], "risks: no model 'b'"),
        (
            [{"name": n, "risks": [m], "estimator": "logistic"} for n, m in ("ab", "bc", "ca")],
            "it would take its own risk \\(a -> b -> c -> a\\)",
        ),
        ([{"name": "a", "risks": ["b", "b"]}, {"name": "b"}], "b stands there twice"),
        ([{"name": "a", "estimator": "mean_risk"}], "estimator 'mean_risk' is the mean of what other models say"),
    ],
)
def test_a_wrong_fusion_says_what_to_do(folder: Path, models: list[dict[str, Any]], message: str) -> None:
    """Unknown names, circles and repetitions are refused before anything is read."""
    with pytest.raises(PlanError, match=message):
        plan_of(folder, *models)


def test_a_pre_operative_model_takes_no_risk_of_a_later_one(folder: Path) -> None:
    """A member that may see later columns would carry them in."""
    models = [
        {"name": "a", "risks": ["b"], "when": "pre-operative", "estimator": "logistic"},
        {"name": "b", "blocks": ["clinical"]},
    ]
    with pytest.raises(LeakageError, match="the model 'b' may see clinical columns that are known later"):
        plan_of(folder, *models, clinical={"columns": {"age": {"when": "post-operative"}}})


@pytest.mark.parametrize(("task", "members"), [("multiclass", ["linear", "boosted"]), ("survival", ["lasso", "plain"])])
def test_classes_and_times_have_risks_too(tmp_path: Path, task: str, members: list[str]) -> None:
    """One column a class, one of a time to an event; what the fused model says of the external patients comes out of its file again."""
    said = document(
        tmp_path, task, audit={"permutations": 0, "controls": []}, report={"final": "late", "embedding": "none"}
    )
    said.pop("explain", None)
    said["models"].append(
        {"name": "late", "risks": members, "estimator": "multinomial" if task == "multiclass" else "cox"}
    )
    result = run_study(Plan.parse(said, base=tmp_path), tmp_path / "run", workers=1)
    names = [f"risk:{name}" for name in members]
    expected = names if task == "survival" else [f"{name}={stage}" for name in names for stage in ("I", "II", "III")]
    model = Model.load(result.folder / "model.isthmus")
    assert list(model.pipeline.joined(pd.read_csv(tmp_path / "table.csv")).columns) == expected
    applied = apply_model(model, tmp_path / "table.csv").predictions.set_index("patient")["probability"]
    study = external(result, "late")
    pd.testing.assert_series_equal(applied.loc[study.index], study, check_exact=True)


def test_without_a_signal_fusion_finds_none(tmp_path: Path) -> None:
    """Outcomes permuted: a selecting and an overfitting model, fused, rank patients they did not see no better than chance."""
    rng = np.random.default_rng(8)
    table = pd.DataFrame(rng.normal(size=(60, 40)), columns=[f"f{j}" for j in range(40)])
    table.insert(0, "ID", [f"P{i:02d}" for i in range(60)])
    table["y"] = np.arange(60) % 2
    table.to_csv(tmp_path / "table.csv", index=False)
    steps = ["impute", "scale", {"name": "univariate", "k": 3}]
    models = [
        {"name": "late", "risks": ["chosen", "near"], "estimator": "logistic", "settings": {"C": 1.0}},
        {"name": "chosen", "estimator": "logistic", "settings": {"C": 1.0}, "steps": steps},
        {"name": "near", "estimator": "knn", "settings": {"neighbours": 3}, "steps": ["impute", "scale"]},
    ]
    plan = Plan.parse(
        {
            "table": {"path": "table.csv", "id": "ID", "outcome": "y"}, "models": models,
            "validate": {"folds": 3, "inner_folds": 3}, "audit": {"permutations": 0},
        }, base=tmp_path,
    )  # fmt: skip
    store = RunFolder(tmp_path / "run")
    store.begin("x", resume=False)
    data = prepare(plan, workers=1, store=store)
    candidates = [candidate_of(plan, data, with_default_steps(plan, model)) for model in plan.models]
    outcome = data.outcome_of("train")
    found = null_study(candidates, outcome, data.centre, plan.validation, permutations=10, store=store, workers=1)
    late = found.loc[found["model"] == "late", "auc"]
    assert abs(late.mean() - 0.5) < 3 * late.std() / np.sqrt(len(late))
    assert abs(late.mean() - 0.5) < 0.08


def test_log_odds_of_certain_risks_are_finite() -> None:
    """A forest may say 0 and 1."""
    np.testing.assert_allclose(log_odds([0.0, 0.5, 1.0]), [-6.906754778648553, 0.0, 6.906754778648553], atol=1e-12)
