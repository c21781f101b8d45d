"""Ready feature tables: real ones are read, bad ones refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.table.ready import ReadyTable, read_feature_table
from isthmus.table.settings import TableSettings

TEXT = "patient,y,centre,age,f1,f2\nP1,1,A,50,0.1,1\nP2,0,A,60,0.2,2\nP3,1,B,70,,3\nP4,0,B,80,0.4,4\n"


def read(folder: Path, text: str = TEXT, external: tuple[str, ...] = (), **settings: Any) -> ReadyTable:
    (folder / "t.csv").write_text(text, encoding="utf-8")
    chosen = TableSettings(**{"path": "t.csv", "outcome": "y", "centre": "centre", **settings})
    return read_feature_table(chosen, base=folder, external=external)


def test_every_other_column_is_a_feature(tmp_path: Path) -> None:
    """What is neither id, outcome, centre nor ignored is a numeric feature."""
    assert list(read(tmp_path, ignore=["age"]).table.values.columns) == ["f1", "f2"]


def test_missing_cells_stay_missing(tmp_path: Path) -> None:
    """A missing feature is NaN, to be imputed inside the folds, and is counted in a note."""
    ready = read(tmp_path)
    assert (int(ready.table.values["f1"].isna().sum()), "1 of 12 cells are missing" in str(ready.problems[-1])) == (
        1,
        True,
    )


def test_external_centre(tmp_path: Path) -> None:
    """The rows of an external centre are external."""
    assert read(tmp_path, external=("B",)).rows["split"].tolist() == ["train", "train", "external", "external"]


def test_rules_leave_reasons(tmp_path: Path) -> None:
    """Inclusion and exclusion rules leave rows out with their labels."""
    ready = read(tmp_path, exclude={"older than 75": "age > 75"})
    assert ready.exclusions.to_dict("records") == [
        {"row": "P4", "patient": "P4", "step": "exclude", "reason": "excluded: older than 75"}
    ]


def test_a_row_without_a_patient_is_left_out(tmp_path: Path) -> None:
    """A row that names no patient is an exclusion with its place in the file; the others go on."""
    ready = read(tmp_path, TEXT.replace("P3", ""))
    assert ready.exclusions.to_dict("records") == [
        {"row": "(row 4)", "patient": "(row 4)", "step": "id", "reason": "no patient in column 'patient'"}
    ]
    assert ready.table.rows["patient"].tolist() == ["P1", "P2", "P4"]


def test_sources_of_the_outcome_are_no_features(tmp_path: Path) -> None:
    """The columns of a derived outcome are not among the features."""
    assert "age" not in read(tmp_path, outcome="age > 65").table.values.columns


def test_infinite_values_are_missing_and_said(tmp_path: Path) -> None:
    """An infinite feature counts as missing, with a note that names the patient."""
    ready = read(tmp_path, TEXT.replace("0.2", "inf"))
    assert [problem.what for problem in ready.problems if problem.where == "f1"] == [
        "infinite for P2: counted as missing"
    ]


@pytest.mark.parametrize(("column", "note"), [("c\n", "1 constant: c"), ("e\n", "1 without any value: e")])
def test_odd_features_are_noted(tmp_path: Path, column: str, note: str) -> None:
    """Constant and empty features are noted."""
    cell = "5" if column == "c\n" else ""
    lines = TEXT.splitlines()
    text = "\n".join([f"{lines[0]},{column.strip()}", *(f"{line},{cell}" for line in lines[1:])])
    assert any(problem.what.startswith(note) for problem in read(tmp_path, text).problems)


@pytest.mark.parametrize(
    ("text", "settings", "error", "message"),
    [
        (
            TEXT.replace("0.2", '"0,2"'),
            {},
            TableError,
            "'f1': row 3, patient P2, '0,2'; expected a number; use a decimal point",
        ),
        (TEXT.replace("60", "GE"), {"outcome": "y"}, TableError, "'age': row 3, patient P2, 'GE'"),
        (TEXT.replace("P2", "P1"), {}, TableError, "duplicate patients in column 'patient': patient P1 in rows 2, 3"),
        (TEXT, {"id": "ID"}, PlanError, r"\[table\] id: unknown column 'ID'"),
        (TEXT, {"ignore": ["aeg"]}, PlanError, r"\[table\] ignore: unknown column 'aeg'. Did you mean 'age'"),
        (TEXT, {"exclude": {"all": "age > 0"}}, TableError, "leave no patient"),
        (TEXT, {"exclude": {"odd": "y == '1'"}}, TableError, "all 2 patients have one class"),
        (TEXT, {"exclude": {"odd": "aeg > 1"}}, PlanError, "exclude 'odd': .*unknown column 'aeg'"),
        (TEXT, {"ignore": ["age", "f1", "f2"]}, TableError, "no feature is left"),
        (TEXT, {"split": "centre"}, TableError, "row 2, patient P1 has split 'A' .*expected train, internal, external"),
    ],
)
def test_refusals(tmp_path: Path, text: str, settings: dict[str, Any], error: type[Exception], message: str) -> None:
    """What cannot be used is refused by column, row and patient."""
    with pytest.raises(error, match=message):
        read(tmp_path, text, **settings)


def test_unknown_external_centre_names_the_centres(tmp_path: Path) -> None:
    """A misspelt external centre is refused with the centres and their counts."""
    with pytest.raises(PlanError, match=r"unknown centre 'C'; the table's centres are 'A' \(2 rows\), 'B' \(2 rows\)"):
        read(tmp_path, external=("C",))


def test_a_text_column_can_be_ignored(tmp_path: Path) -> None:
    """A text column says that it can be listed in `ignore`."""
    with pytest.raises(TableError, match=r"or list it in \[table\] ignore"):
        read(tmp_path, centre=None)


def test_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    """Shuffling the rows of the file leaves features, facts and outcome as they are."""
    lines = TEXT.splitlines()
    order = np.random.default_rng(2).permutation(4) + 1
    first, second = read(tmp_path), read(tmp_path, "\n".join([lines[0], *(lines[i] for i in order)]))
    pd.testing.assert_frame_equal(first.table.to_frame(), second.table.to_frame())


@pytest.mark.parametrize(
    ("name", "rows", "features", "events"),
    [
        ("HNSCC", 93, 105, 25),
        ("Fusco2022", 54, 192, 33),
        ("Head-Neck-PET-CT", 91, 210, 61),
        ("Hosny2018B", 206, 984, 60),
    ],
)
def test_real_tables(shared_data: Path, name: str, rows: int, features: int, events: int) -> None:
    """Tables of radMLBench read whole, with 0/1 and with True/False outcomes."""
    path = str(shared_data / "radmlbench" / "datasets" / f"{name}.csv.gz")
    ready = read_feature_table(TableSettings(path=path, id="ID", outcome="Target"), base=Path())
    assert (*ready.table.values.shape, ready.outcome.n_events) == (rows, features, events)
