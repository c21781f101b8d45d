"""The recipe atc-pdtc end to end on a handful of synthetic patients: its tables, its figures, its page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.report import write_report
from isthmus.study import Plan, Result
from isthmus.study.check import check_plan
from isthmus.study.recipes import demo_text, run_recipe_demo
from isthmus.study.run import run_study
from isthmus.synthetic.cohorts import cohort_sizes
from isthmus.synthetic.dedifferentiation import make_dedifferentiation_cohort

SIZES = cohort_sizes("atc-pdtc")["tiny"]
RADIOMICS = {
    "shape",
    "firstorder",
    "histogram",
    "percentile",
    "gradient",
    "glcm",
    "gldm",
    "glrlm",
    "glszm",
    "ngtdm",
    "fractal",
    "moment",
}


def tiny(text: str) -> str:
    """The small plan with still fewer trees and folds, and without UMAP, whose library alone takes seconds to compile."""
    for old, new in (
        ("trees = 300", "trees = 40"),
        ("folds = 5", "bootstrap = 100\nfolds = 3"),
        ("umap_runs = 10", "umap_runs = 0"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("atc")
    make_dedifferentiation_cohort(folder, sizes=SIZES, workers=2)
    (folder / "plan.toml").write_text(tiny(demo_text("atc-pdtc")), encoding="utf-8")
    return run_study(Plan.read(folder / "plan.toml"), folder / "run", workers=1)


@pytest.fixture(scope="module")
def page(result: Result) -> str:
    return write_report(result).read_text(encoding="utf-8")


def table(result: Result, name: str) -> pd.DataFrame:
    return result.tables[f"atc-pdtc_{name}"]


def test_all_features_in_all_categories(result):
    """131 features in 12 categories are extracted."""
    facts = result.blocks["radiomics"]
    assert len(facts) == 131
    assert set(facts["family"]) == RADIOMICS


def test_characteristics_compare_every_group(result):
    """Nodal rows and distant metastasis stand there with a p-value against DTC, PTC and FTC."""
    rows = table(result, "characteristics").set_index("variable")
    for variable in ("nodal_metastasis", "distant_metastasis", "age_years"):
        assert rows.loc[variable, ["p DTC", "p PTC", "p FTC"]].notna().all()


def test_characteristics_count_the_groups(result):
    """The first row counts patients; DTC is PTC and FTC together."""
    first = table(result, "characteristics").iloc[0]
    assert [first[name] for name in ("ATC/PDTC", "DTC", "PTC", "FTC")] == ["5", "8", "4", "4"]


def test_each_category_has_a_representative_of_each_patient(result):
    """Twelve values a patient."""
    values = table(result, "representatives")
    assert set(values["category"]) == RADIOMICS
    assert len(values) == 12 * sum(SIZES.values())


def test_operating_points_of_three_rules(result):
    """Both honest rules have intervals, the published one none and is marked."""
    points = table(result, "operating")
    rates = points[points["metric"] == "sensitivity"]
    assert set(rates["rule"]) == {"prevalence", "youden", "as published"}
    assert rates["lower"].notna().tolist() == rates["honest"].tolist()


def test_the_threshold_is_the_training_prevalence(result):
    """What the classifier decided by is the share of events among its training rows, fold by fold."""
    rows = result.thresholds[result.thresholds["fold"].notna()]
    pd.testing.assert_series_equal(rows["threshold"], rows["prevalence"], check_names=False)


def test_importance_is_by_category(result):
    """Categories and clinical variables are ranked for each model; the first five have a curve."""
    important = table(result, "important")
    alone = important[important["model"] == "radiomics"]
    assert set(alone["feature"]) == RADIOMICS
    assert "distant_metastasis" in set(important["feature"]) - RADIOMICS
    assert important.groupby("model")["auc"].count().tolist() == [5, 5]


def test_subtypes_are_contrasted(result):
    """ATC/PDTC against DTC, PTC and FTC, for both models."""
    rows = table(result, "subtypes")
    patients = rows[rows["metric"] == "auc"].groupby("against")["patients"].first()
    assert patients.to_dict() == {"DTC": 13, "PTC": 9, "FTC": 9}


@pytest.mark.parametrize(
    "words",
    [
        "0.883",
        "0.908",
        "0.858",
        "0.887",
        "as published, optimistic",
        "Descriptive",
        "Distant metastasis",
        "Workflow of the study",
    ],
)
def test_the_page_shows_the_printed_numbers(page, words):
    """The study's AUCs, and the label of what it did with test data, are on the page."""
    assert words in page


def test_every_figure_is_drawn(page, result):
    """Workflow, boxes of two and three groups, ROC curves of models and of features."""
    drawn = {path.stem for path in (result.folder / "figures").glob("atc-pdtc_*.svg")}
    names = {"workflow", "boxes_2_pca", "boxes_3_pca", "roc", "important"}
    assert drawn == {f"atc-pdtc_{name}" for name in names}


def test_a_table_without_histology_is_refused_at_once(tmp_path):
    """Before any image is read: the message names the column."""
    (tmp_path / "cases.csv").write_text("patient,y,age_years\na,1,3\nb,0,4\n")
    plan = {
        "cohort": {"table": "cases.csv", "outcome": "y"}, "clinical": {"columns": ["age_years"]},
        "report": {"recipe": {"name": "atc-pdtc"}},
    }  # fmt: skip
    with pytest.raises(TableError, match="no column 'histology'"):
        run_study(Plan.parse(plan, base=tmp_path), tmp_path / "run")


def test_the_check_says_so_too(tmp_path):
    """`isthmus check` names the column before anything is run, as an error."""
    (tmp_path / "cases.csv").write_text(
        "patient,y,age_years\n" + "".join(f"p{i},{i % 2},{40 + i}\n" for i in range(20))
    )
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[cohort]\ntable = "cases.csv"\noutcome = "y"\n[clinical]\ncolumns = ["age_years"]\n[report]\nrecipe = { name = "atc-pdtc" }\n'
    )
    found = [problem for problem in check_plan(plan).problems if problem.where == "[report] recipe"]
    assert [(problem.severity, "no column 'histology'" in problem.what) for problem in found] == [("error", True)]


def test_an_unknown_study_is_refused():
    """A misspelt name is a plan error with a suggestion."""
    plan = {"table": {"path": "x.csv", "outcome": "y"}, "report": {"recipe": {"name": "atc_pdtc"}}}
    with pytest.raises(PlanError, match="Did you mean 'atc-pdtc'"):
        Plan.parse(plan)


def test_a_plan_to_start_from_has_no_demo(tmp_path):
    """Recipes without a cohort of their own say which have one."""
    with pytest.raises(PlanError, match="--demo works with: .*atc-pdtc"):
        run_recipe_demo("feature-table", tmp_path / "run")


@pytest.mark.slow
def test_the_demo_of_the_command_line(tmp_path):
    """The small cohort with UMAP: each category's stability is measured, and unstable ones are marked."""
    run = run_recipe_demo("atc-pdtc", tmp_path / "run")
    categories = table(run, "categories")
    umap = categories[categories["method"] == "umap"]
    assert len(umap) == 12
    assert ((umap["stability"] >= 0.9) == umap["stable"]).all()


@pytest.mark.slow
def test_the_recipe_at_full_size_finds_what_was_planted(tmp_path: Path):
    """130 patients: the radiomics model's interval lies above chance, and tuning chose from the grid in every fold."""
    run = run_recipe_demo("atc-pdtc", tmp_path / "run", full=True)
    area = run.metrics[
        (run.metrics["model"] == "radiomics") & (run.metrics["split"] == "cv") & (run.metrics["metric"] == "auc")
    ]
    assert float(area["lower"].iloc[0]) > 0.6
    assert set(run.tables["tuning"]["setting"]) == {"mtry", "nodesize"}
