"""Every table: registered, printed as text, with intervals and methods."""

from __future__ import annotations

import pkgutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from isthmus.report import tables
from isthmus.report.tables import (
    TABLES,
    comparisons,
    exclusions,
    logistic,
    metrics,
    notes,
    null_study,
    odds_ratios,
    provenance,
    scanners,
    selected,
    stability,
    table_one,
    thresholds,
)
from isthmus.study.result import Result
from report.quiet_result import with_metric


def test_every_module_is_registered() -> None:
    """A module in the folder that is not in the mapping would never be printed."""
    modules = {module.name for module in pkgutil.iter_modules(tables.__path__) if not module.name.startswith("_")}
    assert modules == {module.__name__.rpartition(".")[2] for module in TABLES.values()}


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_is_text(full_run: Result, survival_run: Result, name: str) -> None:
    """What the page prints is text; no number is left to the template."""
    frame = TABLES[name].view(survival_run if name in ("risk_groups", "hazard_ratios") else full_run).frame
    assert all(isinstance(cell, str) for row in frame.itertuples(index=False) for cell in row)


def test_metrics_have_interval_and_method(quiet: Result) -> None:
    """The first row of cross-validation: AUC, both models, the method."""
    row = metrics.view(quiet).frame.iloc[0].tolist()
    assert row == ["AUC", "0.85 (0.80 to 0.90)", "0.85 (0.80 to 0.90)", "a method"]


def test_metrics_say_why_an_estimate_is_missing(quiet: Result) -> None:
    """An estimate that could not be computed is a dash, and the reason stands in its row."""
    spoilt = with_metric(quiet, "cv", "auc", estimate=np.nan, method="not computed: only one class")
    row = metrics.view(spoilt).frame.iloc[0].tolist()
    assert (row[1], row[3]) == ("–", "not computed: only one class; a method")


def test_metrics_head_each_split(quiet: Result) -> None:
    """Training comes last and is called optimistic."""
    headings = list(metrics.view(quiet).groups.values())
    assert [heading.partition(" –")[0] for heading in headings] == [
        "Cross-validation",
        "External centre",
        "Training (apparent)",
    ]


def test_many_models_are_split_over_tables(quiet: Result) -> None:
    """Nine models stand in three tables, none of them lost."""
    one = quiet.metrics[quiet.metrics["model"] == "one"]
    many = replace(
        quiet,
        metrics=pd.concat(
            [one.assign(model=name) for name in ("one", *(f"m{i}" for i in range(1, 9)))], ignore_index=True
        ),
    )
    parts = [list(view.numeric) for view in metrics.views(many)]
    assert parts == [["one", "m1", "m2", "m3"], ["m4", "m5", "m6", "m7"], ["m8"]]


def test_comparisons_print_p(full_run: Result) -> None:
    """p-values are printed as 0.013 and <0.001."""
    assert comparisons.view(full_run).frame["p"].tolist() == ["0.013", "<0.001"] * 2


def test_comparisons_say_when_nothing_is_corrected(full_run: Result) -> None:
    """Without a corrected p the caption says so."""
    plain = replace(full_run, comparisons=full_run.comparisons.drop(columns="p_adjusted"))
    assert "not corrected for 4 comparisons" in comparisons.view(plain).caption


def test_exclusions_name_patient_step_and_reason(full_run: Result) -> None:
    """Every excluded row is listed with its reason."""
    frame = exclusions.view(full_run).frame
    assert frame.iloc[0].tolist() == ["THY-0080", "Hill", "train", "include", "not included: size > 1 cm"]


def test_nobody_excluded_is_no_table(quiet: Result) -> None:
    """Without exclusions there is no table."""
    assert exclusions.view(quiet) is None


def test_thresholds_carry_the_final_one(quiet: Result) -> None:
    """The final threshold is printed; without folds their spread is a dash."""
    assert thresholds.view(quiet).frame.iloc[0].tolist() == ["one", "0.50", "–"]


def test_selected_drops_the_column_it_has_not(quiet: Result) -> None:
    """A model with coefficients has no column of importances."""
    assert selected.view(quiet).frame.columns.tolist() == ["Feature", "Chosen in folds", "Coefficient"]


def test_stability_says_where_it_is_not_defined(quiet: Result) -> None:
    """A model that uses every column in every fold has no index, and the cell says why."""
    columns = ["model", "stability", "lower", "upper", "selections", "columns", "smallest", "mean", "largest", "method"]
    rows = [
        ["one", 0.61, 0.5, 0.72, 25, 40, 3, 6.2, 11, "m"],
        ["two", np.nan, np.nan, np.nan, 25, 40, 40, 40.0, 40, "m"],
    ]
    result = replace(quiet, tables={**quiet.tables, "stability": pd.DataFrame(rows, columns=columns)})
    assert stability.view(result).frame["Stability"].tolist() == ["0.61 (0.50 to 0.72)", "every fold uses all or none"]


def test_table_one_names_a_variable_once(full_run: Result) -> None:
    """The levels of a variable stand under its name."""
    names = [name.strip() for name in table_one.view(full_run).frame["Variable"]]
    assert names == [
        "age, mean (sd)",
        "sex, n (%)",
        "female",
        "male",
        "tumour_size_mm, median [q1, q3]",
        "tsh, median [q1, q3]",
    ]


def test_table_one_has_p_beside_the_variable(full_run: Result) -> None:
    """The p-value of a variable with levels stands in its own row, and the levels have counts only."""
    frame = table_one.view(full_run).frame
    assert frame.loc[1:2, ["Overall", "p"]].to_numpy().tolist() == [["", "0.431"], ["58 (72.0)", ""]]


def test_table_one_names_its_tests(full_run: Result) -> None:
    """The caption says which test belongs to which variables."""
    assert "Welch t-test (age)" in table_one.view(full_run).caption


def test_odds_ratios_leave_the_intercept_out(full_run: Result) -> None:
    """An odds ratio is printed with its interval; the intercept has none that means anything."""
    frame = odds_ratios.view(full_run).frame
    assert frame.to_numpy().tolist() == [["age", "1.02 (1.01 to 1.03)", "0.013"]]


def test_notes_are_printed(full_run: Result) -> None:
    """What was noted while reading is in the report, without empty columns."""
    assert notes.view(full_run).frame.columns.tolist() == ["Where", "Note"]


def test_null_study_in_print(quiet: Result) -> None:
    """The study's interval and the range of the shuffled outcomes stand side by side."""
    row = null_study.view(quiet).frame.iloc[0].tolist()
    assert row[1:3] == ["0.85 (0.80 to 0.90)", "0.500 (0.42 to 0.58)"]


def test_scanners_per_centre(quiet: Result) -> None:
    """Values are counted per centre; a header that is silent is counted too."""
    table = pd.DataFrame({"patient": ["P000", "P001", "P300"], "image": "ct", "kvp": [120.0, np.nan, 100.0]})
    frame = scanners.view(replace(quiet, acquisition=table)).frame
    assert frame.iloc[0].tolist() == ["kvp", "120 (1); not stated (1)", "100 (1)"]


def test_provenance_prints_the_command(full_run: Result) -> None:
    """The command is printed as it was typed."""
    frame = provenance.view(full_run).frame
    assert frame.loc[frame["Fact"] == "command", "Value"].item() == "isthmus run plan.toml --out run"


def test_provenance_cuts_a_thousand_hashes(quiet: Result) -> None:
    """Hashes beyond the first are counted, not printed."""
    many = replace(quiet, provenance={"inputs": {f"image {i}": "00" for i in range(1000)}})
    assert provenance.view(many).frame["Value"].iloc[-1] == "976 more in provenance.json"


def test_odds_ratios_stand_alone_and_together(full_run: Result) -> None:
    """A row a level; a variable that the multivariable model was not told has no odds ratio there."""
    frame = logistic.view(full_run).frame.set_index("Variable")
    alone, together = frame.loc["\u2003male", ["Alone: odds ratio", "Together: odds ratio"]]
    assert (" to " in alone, together, " to " in frame.loc["age, per 10 years", "Together: odds ratio"]) == (
        True,
        "",
        True,
    )


def test_odds_ratios_say_their_reference(full_run: Result) -> None:
    """The level compared with is named."""
    frame = logistic.view(full_run).frame.set_index("Variable")
    assert frame.loc["\u2003female", "Alone: odds ratio"] == "1 (reference)"
