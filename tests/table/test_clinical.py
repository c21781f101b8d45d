"""The clinical block: what enters, what is refused, and what the join loses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isthmus.errors import LeakageError, PlanError, TableError
from isthmus.table.clinical import ClinicalSettings, clinical_block, join_clinical, read_clinical

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
        ({"columns": ["age", "age"]}, PlanError, "'age' is named twice"),
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
