"""[explain] and the nomogram through a whole study."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.explain.nomogram import nomogram_of
from isthmus.models.settings import ModelSettings
from isthmus.study.evaluate import BUILD
from isthmus.study.nomogram import nomogram_table
from isthmus.study.plan import Plan
from isthmus.study.result import Result
from isthmus.study.run import run_study
from isthmus.table.dictionary import ColumnSettings
from study.tables import feature_table, write_study

EXACT, SAMPLED = ("lasso", "random_forest", "lightgbm"), ("svm",)
PLAN = """
[table]
path = "features.csv"
outcome = "outcome"
ignore = ["centre"]

[select]
steps = ["impute", "scale"]

[[models]]
name = "lasso"
estimator = "lasso"

[[models]]
name = "random_forest"
estimator = "random_forest"
settings = { trees = 20 }

[[models]]
name = "lightgbm"
estimator = "lightgbm"
settings = { rounds = 10 }

[[models]]
name = "svm"
estimator = "svm"

[validate]
folds = 3
repeats = 1
inner_folds = 3
bootstrap = 100

[explain]
models = ["lasso", "random_forest", "lightgbm", "svm"]
background = 5
permutations = 2
curves = 2

[audit]
permutations = 0
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty patients of five features, x0 and x4 nearly the same."""
    table = feature_table(60, 5)
    table["x4"] = table["x0"] + 0.05 * np.random.default_rng(1).normal(size=60)
    return write_study(tmp_path_factory.mktemp("explained"), table, PLAN)


@pytest.fixture(scope="module")
def finished(study: Path) -> Result:
    return run_study(Plan.read(study), study.parent / "one", workers=1)


@pytest.mark.parametrize("model", EXACT)
def test_exact_values_add_up(finished: Result, model: str) -> None:
    """Of a sum and of trees, base and Shapley values are the model's output to 1e-9."""
    table = finished.tables["explanation"].set_index("model")
    assert table.loc[model, "additivity_error"] < 1e-9


@pytest.mark.parametrize("model", SAMPLED)
def test_sampled_values_say_so(finished: Result, model: str) -> None:
    """A model without an exact form is sampled, and the table names the method."""
    table = finished.tables["explanation"].set_index("model")
    assert str(table.loc[model, "method"]).startswith("sampled")


@pytest.mark.parametrize("model", [*EXACT, *SAMPLED])
def test_every_patient_is_explained_once(finished: Result, model: str) -> None:
    """Held-out rows of all folds are all patients, each once a feature."""
    values = finished.tables[f"shap_{model}"]
    every_feature = values.groupby(["patient", "fold"]).size()
    assert set(values["patient"]) == set(finished.predictions["patient"])
    assert len(every_feature) == 60


@pytest.mark.parametrize("kind", ["explanation_", "explanation_groups_", "shap_", "curves_"])
def test_files_of_every_model(finished: Result, kind: str) -> None:
    """The tables of every model that the plan names are there."""
    assert {f"{kind}{model}" for model in (*EXACT, *SAMPLED)} <= set(finished.tables)


def test_correlated_features_are_one_group(finished: Result) -> None:
    """x0 and x4 are read together, and their sum is what the signal weighs."""
    assert "x0; x4" in set(finished.tables["explanation_groups_random_forest"]["features"])


def test_signal_comes_first(finished: Result) -> None:
    """The features that carry the outcome have the largest values."""
    assert finished.tables["explanation_random_forest"]["feature"].iloc[0] in ("x0", "x4")


def test_two_workers_write_the_same(study: Path, finished: Result) -> None:
    """What is drawn at random too has the same bytes for two workers, and beside other models, as for one."""
    plan = Plan.read(study)
    kept = ("lasso", "svm")
    fewer = plan.model_copy(
        update={
            "models": [model for model in plan.models if model.name in kept],
            "explain": plan.explain.model_copy(update={"models": list(kept)}),
        }
    )
    again = run_study(fewer, study.parent / "two", workers=2)
    names = [f"{kind}_{model}.csv" for kind in ("explanation", "shap", "curves") for model in kept]
    first, second = ([(r.folder / "tables" / name).read_bytes() for name in names] for r in (finished, again))
    assert first == second


def test_unordered_classes_have_no_one_number(tmp_path: Path) -> None:
    """[explain] of unordered classes is refused when the plan is read."""
    plan = """
[table]
path = "features.csv"
outcome = "outcome"
task = "multiclass"

[[models]]
name = "forest"
estimator = "random_forest"

[explain]
"""
    with pytest.raises(PlanError, match="unordered classes have none"):
        Plan.read(write_study(tmp_path, plan=plan))


def test_unknown_model(tmp_path: Path) -> None:
    """A model that the plan does not have is named, with a suggestion."""
    plan = PLAN.replace('models = ["lasso", ', 'models = ["laso", ')
    with pytest.raises(PlanError, match="no model 'laso'.*lasso"):
        Plan.read(write_study(tmp_path, plan=plan))


def test_linear_models_have_a_nomogram(finished: Result) -> None:
    """The lasso has a table of points; trees and a curved kernel have none."""
    found = {name for name in finished.tables if name.startswith("nomogram_")}
    assert found == {"nomogram_lasso"}


def test_nomogram_is_the_stored_model(study: Path, finished: Result) -> None:
    """Points read off the table's axes by straight lines give the risk that model.isthmus gives."""
    from isthmus.study.model import Model

    points = finished.tables["nomogram_lasso"]
    X = pd.read_csv(study.parent / "features.csv").loc[:, "x0":"x4"]
    total = np.zeros(len(X))
    for name, axis in points[points["part"] == "predictor"].groupby("predictor"):
        (x0, x1), (p0, p1) = axis["value"].iloc[[0, -1]], axis["points"].iloc[[0, -1]]
        total += p0 + (X[str(name)].to_numpy() - x0) * (p1 - p0) / (x1 - x0)
    ends = points[points["part"] == "total"].iloc[[0, -1]]
    slope = np.diff(ends["linear_predictor"])[0] / np.diff(ends["points"])[0]
    risk = 1 / (1 + np.exp(-(ends["linear_predictor"].iloc[0] + slope * total)))
    model = Model.load(finished.folder / "model.isthmus")
    np.testing.assert_allclose(risk, model.pipeline.predict_proba(X)[:, 1], rtol=0, atol=1e-9)


def test_nomogram_speaks_the_words_of_the_dictionary() -> None:
    """Labels, units and levels are those of the data dictionary, levels in the declared order."""
    rng = np.random.default_rng(2)
    X = pd.DataFrame({"age": rng.normal(50, 9, 90), "ete": rng.integers(0, 2, 90), "site": list("cab") * 30})
    y = (rng.random(90) < 0.5).astype(int)
    spec = {"name": "m", "estimator": "logistic", "steps": ["impute", "encode", "scale"], "settings": {"C": 1.0}}
    made = nomogram_of(BUILD(ModelSettings.model_validate(spec), X, seed=1).fit(X, y), X)
    table = nomogram_table(
        made,
        {
            "age": ColumnSettings(label="Age", unit="year"),
            "ete": ColumnSettings(type="yes/no", levels=["absent", "present"]),
            "site": ColumnSettings(levels=["c", "b", "a"]),
        },
    )
    found = {str(name): part["text"].tolist() for name, part in table.groupby("label") if name in ("ete", "site")}
    assert (found, "Age, year" in set(table["label"])) == (
        {"ete": ["absent", "present"], "site": ["c", "b", "a"]},
        True,
    )


def test_nomogram_calls_a_score_by_its_model() -> None:
    """A column `risk:NAME` is the log odds that NAME gives."""
    rng = np.random.default_rng(3)
    X = pd.DataFrame({"risk:rad-score": rng.normal(size=60), "age": rng.normal(50, 9, 60)})
    spec = {"name": "m", "estimator": "logistic", "steps": ["impute", "scale"], "settings": {"C": 1.0}}
    y = (X["risk:rad-score"] + rng.normal(size=60) > 0).to_numpy().astype(int)
    made = nomogram_of(BUILD(ModelSettings.model_validate(spec), X, seed=1).fit(X, y), X)
    assert {"rad-score, log odds", "age"} <= set(nomogram_table(made)["label"])


@pytest.mark.parametrize(
    ("run", "model", "scale", "method"),
    [
        ("survival_run", "plain", "risk score", "exact"),
        ("survival_run", "lasso", "risk score", "exact"),
        ("ordinal_run", "linear", "expected class", "sampled"),
        ("ordinal_run", "boosted", "expected class", "sampled"),
    ],
)
def test_other_outcomes_add_up(run: str, model: str, scale: str, method: str, request: pytest.FixtureRequest) -> None:
    """Base and Shapley values of a held-out patient give the risk score, or the expected class."""
    tables = request.getfixturevalue(run).tables
    line = tables["explanation"].set_index("model").loc[model]
    assert (line["scale"], line["method"].split(",")[0]) == (scale, method)
    assert line["additivity_error"] < 1e-9


@pytest.mark.parametrize("run", ["survival_run", "ordinal_run"])
def test_planted_features_lead_in_other_outcomes(run: str, request: pytest.FixtureRequest) -> None:
    """f0 and f1 carry the signal: they have the largest Shapley values, and shuffling f0 costs C-index."""
    result = request.getfixturevalue(run)
    table = result.tables[f"explanation_{result.models()[0]}"].set_index("feature")
    assert set(table.index[:2]) == {"f0", "f1"}
    assert table.loc["f0", "importance"] > 0.02


def test_the_risk_score_of_a_survival_model_is_explained(survival_run: Result) -> None:
    """Base plus values equals the risk that predictions.csv holds for the patient in that fold."""
    table = survival_run.tables["shap_plain"]
    said = table.groupby(["fold", "patient"]).agg(base=("base", "first"), shap=("shap", "sum")).sum(axis=1)
    told = survival_run.predictions.query("model == 'plain' and split == 'cv'").set_index(["fold", "patient"])["risk"]
    assert said.to_numpy() == pytest.approx(told.loc[said.index].to_numpy(), abs=1e-9)
