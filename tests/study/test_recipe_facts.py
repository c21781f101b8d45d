"""The facts of a recipe: beside a run, in words, in the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from isthmus.errors import PlanError
from isthmus.report.figures._save import save_figure
from isthmus.report.recipes import study_of
from isthmus.report.recipes.neighbour.page import parts
from isthmus.study.recipes import demo_text, recipe_with_facts, study_recipe, write_recipe_cohort
from isthmus.study.recipes.facts import Facts, beside, facts_of
from isthmus.study.result import Result
from report.fake_run import make_run

NAME = "clnm-peritumoural"
FUSION = "fusion, intra + peri"


def metrics() -> pd.DataFrame:
    rows = [(FUSION, "external", "auc", 0.8, 0.7, 0.9), (FUSION, "internal", "auc", 0.75, 0.6, 0.9)]
    return pd.DataFrame(rows, columns=["model", "split", "metric", "estimate", "lower", "upper"])


CASES = pd.DataFrame({"patient": ["a", "a", "b", "c"], "split": ["external", "external", "external", "internal"]})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A stored run that names the recipe, with its table."""
    found = Result.load(make_run(tmp_path_factory.mktemp("facts") / "run"))
    plan = {**found.plan, "report": {**found.plan.get("report", {}), "recipe": {"name": NAME, "umap_runs": 0}}}
    table = beside(facts_of(NAME), metrics(), CASES)
    return replace(found, plan=plan, tables={**found.tables, f"{NAME}_beside": table})


def test_every_printed_number_has_a_row():
    """Of a model that the run has not, the estimate is missing."""
    table = beside(facts_of(NAME), metrics(), CASES)
    assert len(table) == len(facts_of(NAME).printed)
    assert table["estimate"].notna().sum() == 2


def test_a_row_has_both_numbers_and_both_counts():
    """0.881 of 111 patients as printed, 0.8 of two here: rows of one patient count once."""
    table = beside(facts_of(NAME), metrics(), CASES)
    row = table[(table["model"] == FUSION) & (table["split"] == "external")].iloc[0]
    assert row[["published", "published_patients", "estimate", "lower", "upper", "patients"]].tolist() == [
        0.881,
        111,
        0.8,
        0.7,
        0.9,
        2,
    ]


def test_a_demo_whose_words_the_plan_lacks_is_an_error():
    """A plan that was edited does not run as another demo in silence."""
    with pytest.raises(PlanError, match="nowhere says"):
        facts_of(NAME).demo_plan("x = 1", full=False)


def test_a_full_demo_changes_only_what_no_demo_has():
    """The file of weights, not the size of the crops."""
    small, full = demo_text(NAME), demo_text(NAME, full=True)
    assert 'origin = "random"' in small
    assert 'origin = "random"' in full
    assert "size = 64" in small
    assert "size = 64" not in full


def test_a_value_outside_its_interval_is_refused():
    """A slip of the pen in a file of facts."""
    said = json.loads(facts_of(NAME).model_dump_json(by_alias=True))
    said["printed"][0] |= {"lower": 0.8, "upper": 0.9}
    with pytest.raises(ValidationError, match="lies outside"):
        Facts.model_validate(said)


def test_a_recipe_of_no_study_has_no_facts():
    """The message names those that have."""
    with pytest.raises(PlanError, match="no recipe of a published study"):
        study_recipe("feature-table")
    assert not recipe_with_facts("feature-table").startswith("# Study")


def test_own_patients_are_told_what_this_plan_needs():
    """A second reader and a file of weights where the plan asks for them, and not where it does not."""
    attention, lymph = recipe_with_facts("meningioma-attention"), recipe_with_facts("cervix-lvsi")
    assert "Without a second" in attention
    assert "Without a second" not in lymph
    assert "SHA-256 in place of the zeros" in lymph


def test_a_cohort_is_written_into_an_empty_folder_alone(tmp_path: Path):
    """Nobody's patients are mixed with synthetic ones."""
    (tmp_path / "cases.csv").write_text("patient\n", encoding="utf-8")
    with pytest.raises(PlanError, match="is not an empty folder"):
        write_recipe_cohort("wrist", tmp_path)


def test_the_page_shows_print_run_and_departures(run):
    """Figure, numbers, p-values, what is done otherwise, what is left open."""
    found = parts(run)
    assert [part.heading for part in found if part.heading] == [
        "Printed, and of this run", "As published", "Otherwise, and why", "What was read leaves open",
    ]  # fmt: skip
    numbers = next(part.view for part in found if part.view is not None and "Printed" in part.view.frame)
    assert "0.881" in set(numbers.frame["Printed"])
    assert "0.800 (0.700 to 0.900)" in set(numbers.frame.iloc[:, 4])
    assert "10.21037/gs-2025-50" in " ".join(found[0].text)


def test_the_figure_shows_crosses_and_points(run, tmp_path: Path):
    """Any study with facts gets the figure of its numbers."""
    study = study_of(run)
    assert study is not None
    drawing = save_figure(study.FIGURES["beside"], run, tmp_path)
    assert drawing is not None
    assert FUSION in drawing.svg
    assert study.TITLE == "Beside the published study"
