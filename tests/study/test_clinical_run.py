"""From a clinical table to the report: the clinical half of CRIT on a synthetic cohort, and the flaws of the reference that ours lacks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from isthmus.report.html import write_report
from isthmus.study import Plan
from isthmus.study.model import Model
from isthmus.study.result import Result
from isthmus.study.run import run_study
from isthmus.synthetic import SyntheticCrit, make_crit
from isthmus.table.dictionaries import POST_OPERATIVE


@pytest.fixture(scope="module")
def crit(tmp_path_factory: pytest.TempPathFactory) -> SyntheticCrit:
    """120 patients of centre A and 40 of centre B, a quarter with metastasis so that two folds suffice."""
    return make_crit(tmp_path_factory.mktemp("crit"), patients=(120, 40), events=0.25, signal=1.5, seed=4)


@pytest.fixture(scope="module")
def result(crit: SyntheticCrit) -> Result:
    """The plan that came with it, with fewer folds, draws and copies."""
    text = (
        crit.plan.read_text(encoding="utf-8")
        .replace("repeats = 5", "repeats = 1")
        .replace("folds = 5", "folds = 2\nbootstrap = 100")
    )
    text = text.replace('missing = "multiple"', 'missing = "multiple"\nimputations = 2\niterations = 2')
    crit.plan.write_text(text + "\n[audit]\npermutations = 0\n", encoding="utf-8")
    return run_study(Plan.read(crit.plan), crit.folder / "run", workers=1)


def test_the_pre_operative_model_asks_for_no_pathology(result: Result) -> None:
    """Stages, nodes, multifocality and invasion are no inputs of its file."""
    columns = set(Model.load(result.folder / "model.isthmus").columns)
    assert columns & set(POST_OPERATIVE) == set()
    assert {"Age", "TG", "NLR"} <= columns


def test_both_models_are_reported_apart(result: Result) -> None:
    """Each has its own out-of-fold and external AUC."""
    auc = result.metrics[result.metrics["metric"] == "auc"]
    assert {
        ("pre-operative", "cv"),
        ("pre-operative", "external"),
        ("post-operative", "cv"),
        ("post-operative", "external"),
    } <= set(zip(auc["model"], auc["split"], strict=True))


def test_a_new_patient_needs_only_what_was_known_before_surgery(result: Result, crit: SyntheticCrit) -> None:
    """The model file predicts a table without the pathologist's columns, sizes in centimetres included."""
    new = pd.read_csv(crit.table, dtype=str).drop(columns=["M_stage", *POST_OPERATIVE]).tail(5)
    found = Model.load(result.folder / "model.isthmus").predict(new)
    known = result.predictions.query("model == 'pre-operative' and split == 'external'").set_index("patient")[
        "probability"
    ]
    assert found.set_index("patient")["probability"].to_numpy() == pytest.approx(
        known.loc[found["patient"]].to_numpy(), abs=1e-12
    )


def test_sizes_of_both_centres_are_millimetres(result: Result) -> None:
    """Centre B wrote centimetres; the medians agree."""
    table = result.tables["table1_centre"].set_index("variable")
    a, b = (float(str(table.loc["Tumor_size", centre]).split(" ")[0]) for centre in "AB")
    assert 0.5 < a / b < 2.0


@pytest.mark.parametrize("name", ["table1", "table1_centre", "table1_outcome_by_centre", "table1_outcome_by_split"])
def test_every_table_one_is_there(result: Result, name: str) -> None:
    """By outcome and split, by centre, and by outcome within each."""
    assert {"variable", "level", "unit", "missing", "overall"} <= set(result.tables[name].columns)


def test_stages_are_tested_for_trend(result: Result) -> None:
    """The reference compared ordered stages by chi-square."""
    table = result.tables["table1"].set_index("variable")
    assert (table.loc["T_stage", "test"] == "Cochran-Armitage trend").any()


def test_table_one_has_the_parts_of_ratios(result: Result) -> None:
    """Parts are described, though not learned from."""
    assert {"NE", "LYM", "NLR"} <= set(result.tables["table1"]["variable"])


def test_gaps_are_dropped_by_the_training_rows(result: Result) -> None:
    """Glucose is missing too often in centre A; the rule says so."""
    dropped = result.tables["dropped"]
    reason = dropped[(dropped["model"] == "pre-operative") & (dropped["feature"] == "GLU")]["reason"]
    assert reason.str.contains("training values are missing").all()
    assert len(reason) == 1


def test_the_multivariable_table_is_the_one_fixed_in_advance(result: Result) -> None:
    """Four variables, and the out-of-fold risk of the model, for everybody."""
    table = result.tables["logistic_multivariable"]
    assert list(dict.fromkeys(table["variable"])) == ["Sex", "Age", "Tumor_size", "TG", "risk of pre-operative"]
    assert set(table["patients"]) == {120}


def test_the_reference_level_is_the_declared_one(result: Result) -> None:
    """Female is the reference of Sex."""
    table = result.tables["logistic_univariable"]
    assert table[(table["variable"] == "Sex") & (table["step"] == "reference")]["level"].tolist() == ["Female"]


def test_downstream_tables_use_out_of_fold_risk(result: Result) -> None:
    """The reference used the model's own training predictions: with those the odds ratio per sd would be larger."""
    from isthmus.stats.logistic import logistic_regression
    from isthmus.study.inference import out_of_fold_risk

    rows = result.predictions[result.predictions["model"] == "pre-operative"]
    outcome = rows[rows["split"] == "train"].set_index("patient")["outcome"]
    risk = out_of_fold_risk(result.predictions, "pre-operative", pd.Index(outcome.index))
    wanted = logistic_regression((risk / risk.std()).to_frame("risk"), outcome, profile=False).table.iloc[1][
        "odds_ratio"
    ]
    table = result.tables["logistic_univariable"].set_index("variable")
    assert table.loc["risk of pre-operative", "odds_ratio"] == pytest.approx(wanted, rel=1e-6)


def test_the_planted_signal_is_found_before_surgery(result: Result, crit: SyntheticCrit) -> None:
    """The honest AUC lies above chance and not above what the true risk reaches."""
    auc = result.metrics.query("metric == 'auc' and model == 'post-operative' and split == 'cv'")["estimate"].item()
    assert 0.6 < auc < crit.oracle_auc + 0.05


def test_the_report_shows_the_tables(result: Result, tmp_path: Path) -> None:
    """Table 1, the tables by centre, and the odds ratios with their figure are on the page."""
    page = write_report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(
        part in page
        for part in (
            "By outcome within each centre",
            "Odds ratios of the clinical variables",
            "figures/odds_ratios.svg",
            "Rubin",
        )
    )


def test_a_number_coded_sex_is_refused(crit: SyntheticCrit, tmp_path: Path) -> None:
    """The reference turned numeric Sex into all zeros; here it is an error that names patient and level."""
    from isthmus.errors import TableError
    from isthmus.study.data import prepare

    table = pd.read_csv(crit.table, dtype=str)
    table.loc[0, "Sex"] = "1"
    table.to_csv(tmp_path / "cases.csv", index=False)
    (tmp_path / "plan.toml").write_text(crit.plan.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(TableError, match=r"column 'Sex': row 2, patient A0001, '1'; expected one of 'Female', 'Male'"):
        prepare(Plan.read(tmp_path / "plan.toml"), workers=1, store=None)
