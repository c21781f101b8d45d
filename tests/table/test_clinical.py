"""The clinical block: what enters, what is refused, and what the join loses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isthmus.errors import LeakageError, PlanError, TableError
from isthmus.table.clinical import clinical_block, join_clinical, read_clinical
from isthmus.table.clinical_settings import ClinicalSettings

FRAME = pd.DataFrame(
    {
        "patient": ["P3", "P1", "P2", "P4"],
        "age": ["61", "45", None, "50"],
        "size": ["1.5", "12,5", "3", "2"],
        "sex": ["f", "m", "f", None],
        "grade": ["1", "2", "3", "1"],
        "focality": ["multifocal", "unifocal", None, "multifocal"],
        "remark": ["a", "b", "c", "d"],
        "diagnosis_date": ["2020-01-02", "2021-03-04", "2020-05-06", "2019-01-01"],
        "empty": [None, None, None, None],
        "constant": ["1", "1", "1", "1"],
        "nodes": ["1", "7", "9", "0"],
    },
    dtype="str",
    index=pd.Index([2, 3, 4, 5], name="file_row"),
)


def block(frame: pd.DataFrame = FRAME, barred: frozenset[str] = frozenset(), **settings: Any) -> Any:
    return clinical_block(frame, ClinicalSettings(**settings), barred, frame["patient"])


def test_values_by_patient() -> None:
    """Numbers are numbers, categories texts, one row a patient in sorted order."""
    values = block(columns=["age", "sex"]).values
    expected = pd.DataFrame(
        {"age": [45.0, None, 61.0, 50.0], "sex": pd.Series(["m", "f", "f", None], dtype="str").array},
        index=pd.Index(["P1", "P2", "P3", "P4"], name="patient", dtype="str"),
    )
    pd.testing.assert_frame_equal(values, expected)


def test_declared_category() -> None:
    """A number declared categorical stays a label."""
    assert block(columns=["grade", "age"], categorical=["grade"]).categorical == ("grade",)


def test_derived_predictor() -> None:
    """A condition gives 1, 0 or missing, and its expression is kept among the facts."""
    result = block(columns=["age"], derive={"multifocal": 'focality == "multifocal"'})
    assert result.values["multifocal"].fillna(-1).tolist() == [0.0, -1.0, 1.0, 1.0]


def test_derived_predictor_keeps_its_expression() -> None:
    """The facts of a derived predictor hold the expression."""
    result = block(columns=["age"], derive={"multifocal": 'focality == "multifocal"'})
    assert result.columns[1].parameter == 'focality == "multifocal"'


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"columns": ["size"]},
            TableError,
            "'size': row 3, patient P1, '12,5'; expected a number; use a decimal point",
        ),
        ({"columns": ["aeg"]}, PlanError, "unknown column 'aeg'. Did you mean 'age'"),
        ({"columns": ["age"], "categorical": ["sex"]}, PlanError, "'sex' is not among columns"),
        ({"columns": ["age"], "categorical": ["age"], "numeric": ["age"]}, PlanError, "numeric and categorical"),
        ({"columns": ["age"], "derive": {"sex": "age > 3"}}, PlanError, "'sex' is already a column"),
        ({"columns": ["remark"]}, TableError, "holds 4 different texts .*expected numbers or at most 20 categories"),
        ({"columns": ["empty"]}, TableError, "'empty' holds no value at all"),
        ({"columns": ["nodes"]}, LeakageError, "'nodes' made the outcome"),
        ({"columns": ["age"], "derive": {"many": "nodes > 5"}}, LeakageError, "'many' uses 'nodes'"),
    ],
)
def test_refusals(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    """What cannot be a predictor is refused by name, with what to do."""
    with pytest.raises(error, match=message):
        block(barred=frozenset({"nodes"}), **settings)


def test_missing_can_exclude() -> None:
    """`missing = "exclude"` makes exclusions that name the columns."""
    result = block(columns=["age", "sex"], missing="exclude")
    assert result.exclusions[["patient", "reason"]].to_numpy().tolist() == [
        ["P2", "missing: age"],
        ["P4", "missing: sex"],
    ]


@pytest.mark.parametrize(
    ("column", "note"),
    [
        ("age", "age: missing for 1 of 4 patients"),
        ("constant", "constant: the same value for every patient"),
        ("diagnosis_date", "diagnosis_date: holds dates"),
    ],
)
def test_notes(column: str, note: str) -> None:
    """Missing counts, constants and date-like columns (rule L10) are noted."""
    kind = {"categorical": [column]} if column == "diagnosis_date" else {}
    assert any(text.startswith(note) for text in block(columns=[column], **kind).notes)


def test_rows_that_differ_name_the_patient() -> None:
    """A clinical value that differs between rows of one patient is refused."""
    frame = FRAME.assign(patient=["P1", "P1", "P2", "P3"])
    with pytest.raises(TableError, match="'age' differs between rows of one patient: P1"):
        block(frame, columns=["age"])


def second(folder: Path, text: str, **settings: Any) -> Any:
    (folder / "clinical.csv").write_text(text, encoding="utf-8")
    chosen = ClinicalSettings(table="clinical.csv", columns=["t"], **settings)
    table = read_clinical(chosen, base=folder)
    assert table is not None
    return join_clinical(FRAME, FRAME["patient"], table, chosen)


def test_join_reports_its_loss(tmp_path: Path) -> None:
    """A join says who was found, who lacks a row, and who is only in the second table."""
    _, loss = second(tmp_path, "patient,t\nP1,1\nP2,2\nP9,3\n")
    assert (loss.matched, loss.only_in_cases, loss.only_in_table) == (("P1", "P2"), ("P3", "P4"), ("P9",))


def test_join_brings_the_values(tmp_path: Path) -> None:
    """Joined cells stand beside the right patient."""
    joined, _ = second(tmp_path, "mrn,t\nP1,one\nP2,two\n", id="mrn")
    assert joined["t"].fillna("").tolist() == ["", "one", "two", ""]


def test_patients_without_a_row_are_excluded(tmp_path: Path) -> None:
    """Whoever the second table does not know is excluded, not imputed as a whole."""
    joined, loss = second(tmp_path, "patient,t\nP1,1\nP2,2\n")
    result = clinical_block(
        joined, ClinicalSettings(columns=["t"]), frozenset(), FRAME["patient"], known=frozenset(loss.matched)
    )
    assert result.exclusions[["patient", "reason"]].to_numpy().tolist() == [
        ["P3", "not in the clinical table"],
        ["P4", "not in the clinical table"],
    ]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("patient,t\nP1,1\nP1,2\n", TableError, "more than one row for P1"),
        (
            "patient,t\nX1,1\n",
            TableError,
            "no patient of the case table is in column 'patient': case table P1, P2.*table X1",
        ),
        ("name,t\nP1,1\n", PlanError, "unknown column 'patient'"),
        ("patient,t\n,1\n", TableError, "no patient in row 2"),
        ("patient,t,sex\nP1,1,f\n", TableError, "'sex' stands in the case table and in clinical.csv, and they differ"),
    ],
)
def test_joins_that_cannot_be(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    """A join that would guess is refused."""
    with pytest.raises(error, match=message):
        second(tmp_path, text)


BLOOD = pd.DataFrame(
    {
        "patient": ["P1", "P2", "P3"],
        "NE": ["4", "6000 /µL", "3"],
        "LYM": ["2", "1.5", "0"],
        "PLT": ["200", "300", "250"],
        "MONO": ["0.4", "0.5", "0.6"],
        "stage": ["T2", "T1", "T2"],
        "seen": ["2020-01-01", "2020-01-01", "2020-03-01"],
        "operated": ["2020-01-31", "2020-01-11", "2020-03-02"],
        "scanner": ["x", "y", "z"],
    },
    dtype="str",
    index=pd.Index([2, 3, 4], name="file_row"),
)
COUNTS = {name: {"unit": "10^9/L", "when": "pre-operative"} for name in ("NE", "LYM", "PLT", "MONO")}


def test_ratios_stand_for_their_parts() -> None:
    """NLR, PLR, LMR and SII of converted counts; the parts are no predictors unless the plan keeps them."""
    found = block(BLOOD, columns=COUNTS, ratios=["NLR", "PLR", "LMR", "SII"])
    expected = [[2.0, 100.0, 5.0, 400.0], [4.0, 200.0, 3.0, 1200.0]]
    assert list(found.values.columns) == ["NLR", "PLR", "LMR", "SII"]
    assert found.values.iloc[:2].to_numpy().tolist() == expected


def test_ratios_divided_by_zero_are_missing() -> None:
    """No lymphocytes, no ratio."""
    assert pd.isna(block(BLOOD, columns=COUNTS, ratios=["NLR"]).values.loc["P3", "NLR"])


@pytest.mark.parametrize(
    ("kept", "said"), [("drop", "their parts \\(NE, LYM\\) are not"), ("keep", "say the same twice")]
)
def test_ratios_or_parts_is_said(kept: str, said: str) -> None:
    """The notes say which representation was chosen."""
    notes = block(BLOOD, columns=COUNTS, ratios=["NLR"], ratio_parts=kept).notes
    assert any(re.search(said, note) for note in notes)


def test_ratio_of_different_units_is_refused() -> None:
    """Counts per litre over counts per microlitre mean nothing."""
    with pytest.raises(PlanError, match="NLR mixes units"):
        block(BLOOD, columns={**COUNTS, "NE": {"unit": "/µL"}}, ratios=["NLR"])


def test_ratio_without_a_part_is_refused() -> None:
    """Which part is missing, and how to write it out."""
    with pytest.raises(PlanError, match="NLR needs LYM, and no column is that"):
        block(BLOOD, columns={"NE": {}}, ratios=["NLR"])


def test_time_between_two_dates() -> None:
    """Dates are parts, never predictors; the days between them may be one."""
    dates = {"seen": {"type": "date"}, "operated": {"type": "date"}}
    found = block(BLOOD, columns=dates, derive={"wait": "operated - seen"})
    assert found.values.to_numpy().ravel().tolist() == [30.0, 10.0, 1.0]


def test_described_columns_are_no_predictors() -> None:
    """A scanner is shown in Table 1 and not learned from."""
    found = block(BLOOD, columns={**COUNTS, "scanner": {"role": "describe"}})
    assert ("scanner" in found.values, "scanner" in found.described) == (False, True)


def test_described_columns_have_their_words() -> None:
    """Table 1 shows T1 and T2, models see 0 and 1."""
    found = block(BLOOD, columns={"stage": {"type": "ordinal", "levels": ["T1", "T2"]}})
    assert (found.values["stage"].tolist(), found.described["stage"].tolist()) == ([1, 0, 1], ["T2", "T1", "T2"])


def test_a_derived_column_is_known_when_its_last_part_is() -> None:
    """The time of an expression is the latest of its parts."""
    columns = {**COUNTS, "stage": {"type": "ordinal", "levels": ["T1", "T2"], "when": "post-operative"}}
    settings = ClinicalSettings(columns=columns, derive={"mixed": "NE + LYM", "late": 'stage == "T2" and NE > 2'})
    assert (settings.time_of("mixed"), settings.time_of("late")) == ("pre-operative", "post-operative")


def test_a_ready_dictionary_gives_facts_to_named_columns() -> None:
    """What the plan says itself goes before the ready dictionary."""
    settings = ClinicalSettings(columns={"Tumor_size": {"given": "cm"}, "Sex": {}}, dictionary="crit")
    size = settings.columns["Tumor_size"]
    assert (size.unit, size.given, settings.columns["Sex"].reference) == ("mm", "cm", "Female")


def test_settings_of_some_predictors_keep_what_these_need() -> None:
    """A model without the stage asks a new table for the parts of its ratio only."""
    settings = ClinicalSettings(columns={**COUNTS, "stage": {}}, ratios=["NLR"]).only({"NLR"})
    assert (sorted(settings.columns), settings.predictors) == (["LYM", "NE"], ["NLR"])
