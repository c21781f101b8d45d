"""Tables are read in any usual dress, and every cell that cannot be used is named."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.table.reading import MISSING, classify, number, numeric, read_frame


def written(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("patient,a\nP1,1\n", "comma"),
        ("patient;a\nP1;1,5\n", "semicolon"),
        ("patient\ta\nP1\t1\n", "tab"),
        ("patient;size, cm;b\nP1;1,5;2,5\n", "semicolon"),
        ("patient,note\nP1,a;b;c\nP2,d\n", "comma"),
        ("patient\nP1\n", "comma"),
    ],
)
def test_separator_is_found_and_said(tmp_path: Path, text: str, separator: str) -> None:
    """Commas, semicolons and tabs are told apart, also where another of them stands in cells."""
    assert read_frame(written(tmp_path, text)).separator == separator


def test_semicolon_cells_keep_their_commas(tmp_path: Path) -> None:
    """A decimal comma survives the reading as text, so that the number check can name it."""
    assert read_frame(written(tmp_path, "patient;a\nP1;1,5\n")).frame["a"].tolist() == ["1,5"]


@pytest.mark.parametrize("marker", sorted(MISSING))
def test_missing_markers_are_missing(tmp_path: Path, marker: str) -> None:
    """Every declared marker of a missing cell is read as missing."""
    assert read_frame(written(tmp_path, f"patient,a\nP1, {marker} \n")).frame["a"].isna().tolist() == [True]


def test_white_space_is_stripped(tmp_path: Path) -> None:
    """Headers and cells lose the white space round them."""
    frame = read_frame(written(tmp_path, " patient , a\n P1 ,  x y \n")).frame
    assert frame.to_dict("list") == {"patient": ["P1"], "a": ["x y"]}


def test_rows_are_numbered_as_in_the_file(tmp_path: Path) -> None:
    """The index is the row of the file, blank rows counted, so that messages lead to the right line."""
    assert read_frame(written(tmp_path, "patient,a\nP1,1\n,\nP2,2\n")).frame.index.tolist() == [2, 4]


def test_leading_zeros_survive(tmp_path: Path) -> None:
    """A patient called 007 stays 007."""
    assert read_frame(written(tmp_path, "patient\n007\n")).frame["patient"].tolist() == ["007"]


def test_gzip_is_read(tmp_path: Path) -> None:
    """A gzipped table reads like a plain one."""
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"patient,a\nP1,1\n"))
    assert read_frame(path).frame["a"].tolist() == ["1"]


def test_truncated_gzip_is_refused(tmp_path: Path) -> None:
    """A gzip file that was cut short is an error, not a shorter table."""
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"patient,a\nP1,1\n" * 100)[:-9])
    with pytest.raises(TableError, match="damaged or cut short"):
        read_frame(path)


def test_parquet_keeps_every_digit(tmp_path: Path) -> None:
    """A number of a Parquet file comes back to the last bit."""
    values = np.random.default_rng(1).normal(size=20)
    pd.DataFrame({"patient": [f"P{i}" for i in range(20)], "a": values}).to_parquet(tmp_path / "t.parquet")
    frame = read_frame(tmp_path / "t.parquet").frame
    np.testing.assert_array_equal(numeric(frame["a"], "a"), values)


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    """A file that is no Parquet is an error that says so."""
    with pytest.raises(TableError, match="unreadable as Parquet"):
        read_frame(written(tmp_path, "no", "t.parquet"))


def test_excel_without_its_reader_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without openpyxl a workbook is refused with the way to save it as CSV."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TableError, match="Save the sheet as CSV"):
        read_frame(written(tmp_path, "x", "t.xlsx"))


def test_excel_reads_like_csv(tmp_path: Path) -> None:
    """Where openpyxl is installed, the first sheet reads like a CSV with the same cells, and the sheet is said."""
    pytest.importorskip("openpyxl", reason="reading workbooks is optional")
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame({"patient": ["007", "P2"], "a": [1, 2.5], "b": ["NA", " x "]}).to_excel(
            book, sheet_name="one", index=False
        )
        pd.DataFrame({"c": [1]}).to_excel(book, sheet_name="two")
    table = read_frame(tmp_path / "t.xlsx")
    assert (table.frame.fillna("-").to_numpy().tolist(), table.notes) == (
        [["007", "1", "-"], ["P2", "2.5", "x"]],
        ("sheet 'one' of 2 sheets was read",),
    )


def test_excel_with_a_header_twice_is_refused(tmp_path: Path) -> None:
    """A header that stands twice in a workbook is an error there too."""
    pytest.importorskip("openpyxl", reason="reading workbooks is optional")
    pd.DataFrame([["P1", 1, 2]], columns=["patient", "a", "a"]).to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(TableError, match="'a' more than once"):
        read_frame(tmp_path / "t.xlsx")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,a,a\nP1,1,2\n", "'a' more than once"),
        ("patient, a,a \nP1,1,2\n", "'a' more than once"),
        ("patient,a\nP1,1,5\n", "row 2 has 3 cells, the header has 2"),
        ("", "the table is empty"),
        ('patient,a\nP1,"open\nP2,1\n', "row 2 cannot be taken apart"),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """A table whose cells cannot be told apart for sure is an error that names the row."""
    with pytest.raises(TableError, match=message):
        read_frame(written(tmp_path, text))


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A table that does not exist is named."""
    with pytest.raises(TableError, match=r"none\.csv: no such file"):
        read_frame(tmp_path / "none.csv")


def test_short_rows_are_padded_and_said(tmp_path: Path) -> None:
    """Rows that a spreadsheet cut at their last full cell are read, and the reader says so."""
    table = read_frame(written(tmp_path, "patient,a,b\nP1,1\nP2,1,2\n"))
    assert (table.frame["b"].isna().tolist(), table.notes) == (
        [True, False],
        ("1 rows are shorter than the header; their last cells count as missing",),
    )


def test_empty_trailing_column_is_dropped(tmp_path: Path) -> None:
    """A comma at the end of every line makes no column."""
    assert list(read_frame(written(tmp_path, "patient,a,\nP1,1,\n")).frame.columns) == ["patient", "a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-2.5e-3", -0.0025),
        ("+.5", 0.5),
        ("inf", np.inf),
        ("1_000", None),
        ("１", None),
        ("1,5", None),
        ("nan", None),
    ],
)
def test_what_counts_as_a_number(text: str, value: float | None) -> None:
    """Only plain numbers with a decimal point are numbers."""
    assert number(text) == value


@pytest.mark.parametrize(
    ("cell", "advice"),
    [("12,5", "use a decimal point"), ("<5", "without a sign"), ("large", "declare the column categorical")],
)
def test_text_in_a_numeric_column_is_named(cell: str, advice: str) -> None:
    """The message names column, row, patient and cell, and what to do about it."""
    series = pd.Series(["1", cell, None], index=pd.Index([16, 17, 18], name="file_row"), dtype="str")
    patients = pd.Series(["P02", "P03", "P04"], index=series.index)
    message = f"text in a numeric column, 'size': row 17, patient P03, '{cell}'; expected a number; .*{advice}"
    with pytest.raises(TableError, match=message):
        numeric(series, "size", patients=patients)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", None], "numeric"),
        (["1", "2", "12,5"], "numeric"),
        (["a", "b", "a"], "categorical"),
        (["t1", "t2", "3", "t1"], "categorical"),
        ([f"P{i}" for i in range(9)], "text"),
        ([f"P{i % 21}" for i in range(99)], "text"),
        ([None, None], "empty"),
    ],
)
def test_kinds_of_columns(cells: list[str | None], kind: str) -> None:
    """Numbers, categories and texts are told apart by the documented rule."""
    assert classify(pd.Series(cells, dtype="str")) == kind


def test_excel_names_its_separator_in_a_first_line(tmp_path: Path) -> None:
    """`sep=;` is no header, and the rows keep their numbers in the file."""
    read = read_frame(written(tmp_path, "sep=;\na;b\n1,5;2\n"))
    assert read.separator == "semicolon"
    assert read.frame.to_dict("index") == {3: {"a": "1,5", "b": "2"}}


def test_decimal_commas_are_no_categories() -> None:
    """A few numbers with a decimal comma are numbers written wrong, not the levels of a category."""
    column = pd.Series(["1,5", "2,0", "1,5", "2,5"], index=pd.Index([2, 3, 4, 5], name="file_row"), dtype="str")
    assert classify(column) == "numeric"
    with pytest.raises(TableError, match=r"row 2, '1,5'.*use a decimal point"):
        numeric(column, "size")
