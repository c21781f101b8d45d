"""The data dictionary: what a declared column takes, what it refuses, and in which words."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from isthmus.errors import TableError
from isthmus.table.dictionaries import CRIT, POST_OPERATIVE
from isthmus.table.dictionary import ColumnSettings, labelled, typed


def column(*cells: str | None, **settings: Any) -> list[Any]:
    return values(*cells, **settings)[0]


def values(*cells: str | None, **settings: Any) -> tuple[list[Any], list[str]]:
    series = pd.Series(cells, dtype="str", index=pd.RangeIndex(2, 2 + len(cells), name="file_row"))
    patients = pd.Series([f"P{i}" for i in range(len(cells))], index=series.index)
    found, notes = typed(series, "x", ColumnSettings(**settings), patients)
    return [None if pd.isna(value) else value for value in found], notes


def test_numbers_in_another_unit_are_converted() -> None:
    """`given` says what the cells are in."""
    assert column("3.1", None, "2", type="number", unit="mm", given="cm") == [31.0, None, 20.0]


def test_a_cell_may_carry_its_unit() -> None:
    """One column, two habits of writing."""
    assert column("31", "3.1 cm", "31mm", unit="mm") == pytest.approx([31.0, 31.0, 31.0])


def test_glucose_by_its_molar_mass() -> None:
    """mg/dL become mmol/L."""
    assert column("90", unit="mmol/L", given="mg/dL", molar_mass=180.156) == pytest.approx([4.99567], rel=1e-5)


@pytest.mark.parametrize(
    ("cells", "settings", "said"),
    [
        (
            ("54", "540"),
            {"unit": "years", "range": (0, 120)},
            "column 'x': row 3, patient P1, '540'; expected 0 to 120 years",
        ),
        (("3.1 l",), {"unit": "mm"}, "row 2, patient P0, '3.1 l': l measures volume, mm length"),
        (("f", "femal"), {"levels": ["f", "m"]}, "row 3, patient P1, 'femal'; expected one of 'f', 'm'"),
        (("yes", "maybe"), {"type": "yes/no"}, "'maybe'; expected yes or no"),
        (("T1", "T5"), {"type": "ordinal", "levels": ["T1", "T2"]}, "'T5'; expected one of 'T1', 'T2'"),
        (("2024-13-01",), {"type": "date"}, "expected a date as 2024-03-31"),
        (("inf",), {"type": "number"}, "expected a finite number"),
    ],
)
def test_impossible_cells_are_refused(cells: tuple[str, ...], settings: dict[str, Any], said: str) -> None:
    """The message names patient, column, value and what was expected."""
    with pytest.raises(TableError) as raised:
        column(*cells, **settings)
    assert said in str(raised.value)


def test_impossible_cells_are_missing_by_declaration() -> None:
    """With invalid = "missing" they are missing, and a note says which."""
    found, notes = values("54", "540", type="number", unit="years", range=(0, 120), invalid="missing")
    assert (found, len(notes), "'540'" in notes[0]) == ([54.0, None], 1, True)


def test_an_unknown_level_is_never_the_reference() -> None:
    """The reference study's flaw: numeric Sex, unmatched, became all zeros. Ours is an error, or missing by declaration."""
    found, _ = values("1", "0", levels=["Female", "Male"], reference="Female", invalid="missing")
    assert found == [None, None]


@pytest.mark.parametrize("yes", ["TRUE", "True", "Yes", "y", "1", "1.0", "WAHR", "VRAI", "是"])
def test_excel_booleans_are_yes(yes: str) -> None:
    """What spreadsheets of several languages write."""
    assert column(yes, type="yes/no") == [1.0]


@pytest.mark.parametrize("no", ["FALSE", "No", "n", "0", "0.0", "FALSCH", "FAUX", "否"])
def test_excel_booleans_are_no(no: str) -> None:
    """And their opposite."""
    assert column(no, type="yes/no") == [0.0]


def test_own_words_for_no_and_yes() -> None:
    """levels name the word for no and the word for yes."""
    assert column("absent", "Present", type="yes/no", levels=["absent", "present"]) == [0.0, 1.0]


def test_ordinal_levels_are_numbers() -> None:
    """Models see the place of a level."""
    assert column("t3", "T1", None, type="ordinal", levels=["T1", "T2", "T3"]) == [2.0, 0.0, None]


def test_levels_that_a_spreadsheet_made_decimal() -> None:
    """1.0 is level 1."""
    assert column("1.0", "2", levels=["1", "2"]) == ["1", "2"]


def test_words_come_back_for_tables() -> None:
    """Codes of ordinal and yes/no columns get their words again."""
    coded = pd.DataFrame({"t": [0.0, 1.0, None], "m": [1.0, 0.0, None]})
    words = {"t": ColumnSettings(type="ordinal", levels=["T1", "T2"]), "m": ColumnSettings(type="yes/no")}
    assert labelled(coded, words).fillna("").to_numpy().tolist() == [["T1", "yes"], ["T2", "no"], ["", ""]]


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "number", "levels": ["a"]},
        {"type": "ordinal"},
        {"levels": ["a", "A"]},
        {"levels": ["a", "b"], "reference": "c"},
        {"type": "category", "unit": "mm"},
        {"given": "cm"},
        {"range": (5, 5)},
        {"type": "date", "role": "predictor"},
        {"type": "yes/no", "levels": ["a", "b", "c"]},
        {"typ": "number"},
    ],
)
def test_contradictions_are_refused(settings: dict[str, Any]) -> None:
    """What cannot be meant."""
    with pytest.raises(ValidationError):
        ColumnSettings(**settings)


@pytest.mark.parametrize("name", CRIT)
def test_every_predictor_of_crit_is_a_valid_column(name: str) -> None:
    """Each of the 28 has a type and a time."""
    assert ColumnSettings(**CRIT[name]).when in ("pre-operative", "post-operative")


def test_crit_has_28_predictors_five_of_them_the_pathologists() -> None:
    """The split that the reference did not make."""
    assert (len(CRIT), POST_OPERATIVE) == (
        28,
        ("Multifocal", "Infiltrated_the_adjacent_tissue", "Number_of_metastatic_lymph_nodes", "T_stage", "N_stage"),
    )
