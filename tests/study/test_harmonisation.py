"""[harmonise] through a whole study: three centres, one of them new, and a model file in a fourth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import LeakageError, PlanError, TableError
from isthmus.study import Model, Plan, Result
from isthmus.study.check import check_plan
from isthmus.study.run import run_study
from study.tables import write_study

PLAN = """
[table]
path = "features.csv"
outcome = "outcome"
centre = "hospital"
split = "role"
ignore = ["kernel"]

[harmonise]
batch = ["centre", "kernel"]
covariates = ["age"]
leave = ["age"]
models = ["harmonised"]
%s

[[models]]
name = "harmonised"
estimator = "logistic"
settings = { C = 1.0 }

[[models]]
name = "raw"
estimator = "logistic"
settings = { C = 1.0 }

[validate]
folds = 3
repeats = 1
inner_folds = 3
bootstrap = 100

[audit]
permutations = 0
"""


def features(new: str = "a") -> pd.DataFrame:
    """90 patients of three hospitals and 30 external ones of hospital `new`; a strong mark of hospital and kernel."""
    rng = np.random.default_rng(11)
    n = 120
    role = np.where(np.arange(n) < 90, "train", "external")
    hospital = np.where(role == "train", np.array(["a", "b", "c"])[np.arange(n) % 3], new)
    kernel = np.where(rng.random(n) < 0.5, "soft", "sharp")
    y = (rng.random(n) < 0.45).astype(int)
    age = rng.normal(60, 10, n)
    codes = {name: i for i, name in enumerate("abcz")}
    mark = rng.normal(size=(4, 10)) * 1.5
    values = rng.normal(size=(n, 10)) + 1.2 * y[:, None] * (np.arange(10) < 3) + 0.02 * age[:, None]
    values += mark[[codes[name] for name in hospital]] + (kernel == "sharp")[:, None] * rng.normal(size=10)
    table = pd.DataFrame(values, columns=[f"x{i}" for i in range(10)])
    table = table.assign(age=age, outcome=y, hospital=hospital, kernel=kernel, role=role)
    table.insert(0, "patient", [f"P{i:03d}" for i in range(n)])
    return table


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """External patients of a known hospital."""
    folder = tmp_path_factory.mktemp("harmonised")
    return run_study(Plan.read(write_study(folder, features(), PLAN % "")), folder / "run", workers=1)


def test_the_step_stands_after_impute_in_the_named_model_only(finished: Result) -> None:
    """[harmonise] models says which."""
    steps = {
        model["name"]: [s if isinstance(s, str) else s["name"] for s in model["steps"]]
        for model in finished.plan["models"]
    }
    assert (steps["harmonised"][:2], "combat" in steps["raw"]) == (["impute", "combat"], False)


def test_evidence_is_of_held_out_rows(finished: Result) -> None:
    """Before, most features show the centre; after, about as many as chance gives, on rows no fit has seen."""
    table = finished.tables["harmonisation"].query("batch == 'centre'").set_index("measure")
    share = table.loc["share of features, ANOVA p < 0.05"]
    assert share["before"] > 0.6
    assert share["after"] < 0.2


def test_the_forest_cannot_guess_the_centre_any_more(finished: Result) -> None:
    """The multivariable view, fold by fold."""
    row = (
        finished.tables["harmonisation"]
        .query("batch == 'centre'")
        .set_index("measure")
        .loc["AUC of a forest that guesses the site"]
    )
    assert row["before"] > 0.9
    assert row["after"] < 0.75


def test_every_centre_is_accounted_for(finished: Result) -> None:
    """Rows of each split and centre, and the training rows its numbers come from."""
    sites = finished.tables["harmonisation_sites"].query("batch == 'centre'")
    assert sites[["split", "site", "rows", "training"]].values.tolist() == [
        ["train", "a", 30, 30],
        ["train", "b", 30, 30],
        ["train", "c", 30, 30],
        ["external", "a", 30, 30],
    ]


def test_the_outcome_over_centres_is_told(finished: Result) -> None:
    """L9: the table and Cramer's V."""
    table = finished.tables["harmonisation_outcome"].query("batch == 'centre'")
    assert (table["patients"].sum(), table["cramers_v"].between(0, 1).all()) == (90, True)


def test_context_is_an_input_of_the_model_and_no_feature(finished: Result) -> None:
    """The model file says that it must know centre, kernel and age; nothing selects or drops them."""
    model = Model.load(finished.folder / "model.isthmus")
    assert [column for column in model.columns if column.startswith("@")] == ["@centre", "@kernel", "@age"]
    text = (finished.folder / "selected.csv").read_text() + (finished.folder / "tables" / "dropped.csv").read_text()
    assert "@" not in text


def test_the_report_has_the_section(finished: Result) -> None:
    """Picture, measures, who was treated how."""
    import isthmus

    page = isthmus.report(finished).read_text()
    assert "Harmonisation: is the centre gone?" in page
    assert (finished.folder / "figures" / "harmonisation.svg").is_file()


def test_a_new_patient_of_a_known_centre_alone_is_the_same_as_among_others(finished: Result) -> None:
    """The model file predicts one row with the bits of the batch."""
    model = Model.load(finished.folder / "model.isthmus")
    cases = features().drop(columns=["outcome", "role"]).head(6)
    whole = model.predict(cases)["probability"]
    assert model.predict(cases.iloc[[4]])["probability"].iloc[0] == whole[4]


def test_a_patient_of_a_new_centre_is_not_predicted_and_told_why(finished: Result) -> None:
    """`unseen = "refuse"` in the model file: a reason beside him, and the others go on."""
    model = Model.load(finished.folder / "model.isthmus")
    cases = features().drop(columns=["outcome", "role"]).head(3)
    cases.loc[1, "hospital"] = "elsewhere"
    found = model.predict(cases)
    assert found["probability"].isna().tolist() == [False, True, False]
    assert "'elsewhere' is not among those the model was harmonised on (a, b, c)" in found["reason"][1]


def test_a_table_that_does_not_say_the_kernel_is_refused(finished: Result) -> None:
    """An absent column is an error that says what the model must know."""
    model = Model.load(finished.folder / "model.isthmus")
    with pytest.raises(TableError, match="must know|needs to know of each patient: centre, kernel, age"):
        model.predict(features().drop(columns=["outcome", "kernel"]))


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_tables(finished: Result, tmp_path: Path) -> None:
    """Two workers: the same bytes of what harmonisation found, and of the predictions."""
    other = run_study(Plan.read(write_study(tmp_path, features(), PLAN % "")), tmp_path / "run", workers=2)
    for name in ("predictions.csv", "tables/harmonisation.csv", "tables/harmonisation_features.csv", "model.isthmus"):
        assert (other.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_external_patients_of_a_new_centre_are_refused_before_anything_runs(tmp_path: Path) -> None:
    """By a split column: the data say it, the message names the choices."""
    plan = Plan.read(write_study(tmp_path, features(new="z"), PLAN % ""))
    with pytest.raises(TableError, match=r"knows nothing of centre z: it was fitted on a, b, c"):
        run_study(plan, tmp_path / "run", workers=1)


def test_an_external_centre_of_the_plan_is_refused_by_the_plan() -> None:
    """By name: `isthmus check` says it without data."""
    document = {
        "table": {"path": "t.csv", "outcome": "y", "centre": "c"},
        "harmonise": {},
        "validate": {"external": {"centre": ["B"]}},
    }
    with pytest.raises(PlanError, match=r"\[harmonise\] and \[validate\] external.*unseen = 'reference'"):
        Plan.parse(document)


def test_leaving_centres_out_needs_a_word_on_new_centres() -> None:
    """Every centre is new in its turn: `refuse` would predict nobody."""
    document = {
        "table": {"path": "t.csv", "outcome": "y", "centre": "c"},
        "harmonise": {},
        "validate": {"scheme": "leave-one-centre-out"},
    }
    with pytest.raises(PlanError, match="every centre is new in its turn"):
        Plan.parse(document)


def test_a_new_centre_may_be_adopted_and_the_run_says_so(tmp_path: Path) -> None:
    """Transductive: in the table of centres."""
    text = (PLAN % 'unseen = "adopt"').replace('["centre", "kernel"]', '"centre"')
    result = run_study(Plan.read(write_study(tmp_path, features(new="z"), text)), tmp_path / "run", workers=1)
    row = result.tables["harmonisation_sites"].query("site == 'z'").iloc[0]
    assert (row["training"], row["how"]) == (0, "adopted from its own rows (transductive)")


def test_a_centre_too_small_for_the_folds_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """Three patients: some fold would have none to learn from."""
    table = features()
    table.loc[:2, "hospital"] = "tiny"
    with pytest.raises(TableError, match=r"too few development patients of centre tiny \(3\)"):
        run_study(Plan.read(write_study(tmp_path, table, PLAN % "")), tmp_path / "run", workers=1)


@pytest.mark.parametrize(
    ("changed", "message"), [("z", "knows nothing of centre z"), ("tiny", "'tiny' has 3 development")]
)
def test_check_says_it_too(changed: str, message: str, tmp_path: Path) -> None:
    """`isthmus check` finds what the run would refuse."""
    table = features(new="z" if changed == "z" else "a")
    if changed == "tiny":
        table.loc[:2, "hospital"] = "tiny"
    found = check_plan(write_study(tmp_path, table, PLAN % ""))
    assert any(message in str(problem) and problem.severity == "error" for problem in found.problems)


@pytest.mark.parametrize("seed", range(5))
def test_a_centre_of_five_is_in_every_training_part(seed: int) -> None:
    """Outer and inner folds are dealt by class and centre: five patients are never all held out."""
    from isthmus.table.steps import deal_folds

    rng = np.random.default_rng(seed)
    patients = np.array([f"P{i:03d}" for i in range(60)])
    centre = np.where(np.arange(60) < 5, "small", "large")
    y = rng.integers(0, 2, 60)
    outer = deal_folds(patients, y, folds=5, seed=seed, strata=centre)
    for fold in range(5):
        train = outer != fold
        inner = deal_folds(patients[train], y[train], folds=5, seed=seed, strata=centre[train])
        assert all(((inner != held) & (centre[train] == "small")).any() for held in range(5))


def test_the_outcome_as_covariate_is_refused() -> None:
    """L9 planted in a plan: the column that makes the outcome."""
    document = {
        "table": {"path": "t.csv", "outcome": "nodes > 5", "centre": "c"},
        "harmonise": {"covariates": ["nodes"]},
    }
    with pytest.raises(LeakageError, match="rule L9"):
        Plan.parse(document)


def test_a_plan_written_back_is_the_same_plan(finished: Result) -> None:
    """The lock file holds section and steps, and putting the step in twice would be an error."""
    again = Plan.parse(finished.plan, base=finished.folder)
    assert json.dumps(again.document(), sort_keys=True) == json.dumps(finished.plan, sort_keys=True)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"blocks": ["ct"]}, "unknown block 'ct'"),
        ({"models": ["x"]}, "no model 'x'"),
        ({"unseen": "nearest"}, "needs protocol"),
        ({"batsch": "centre"}, "batch"),
    ],
)
def test_a_section_that_cannot_work_is_an_error(section: dict[str, object], message: str) -> None:
    """Every mistake in the user's words."""
    with pytest.raises(PlanError, match=message):
        Plan.parse({"table": {"path": "t.csv", "outcome": "y", "centre": "c"}, "harmonise": section})
