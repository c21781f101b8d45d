"""Reading tables as the user keeps them: CSV in any usual dress, Parquet, and Excel where its reader is installed.

Everything is read as text first. Only whoever needs a number makes one, and says which cell is none.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import math
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from isthmus.errors import TableError
from isthmus.table.encoding import decode

__all__ = ["MISSING", "ColumnKind", "TextTable", "classify", "number", "numeric", "read_frame", "row_name"]

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "None", "."})
ColumnKind = Literal["numeric", "categorical", "text", "empty"]

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_MOST_LEVELS = 20


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table as it stands in its file: every cell text, or missing.

    Parameters
    ----------
    frame : DataFrame of str
        Missing cells are NaN. The index, named `file_row`, is the row of the file: the header is row 1.
    encoding : str
        What it was read in: "UTF-8", "GB18030", "Latin-1", "Parquet", "Excel" ...
    path : Path
    separator : str
        "comma", "semicolon" or "tab"; empty for Parquet and Excel.
    notes : tuple of str
        What the reader had to decide and the user should know.
    """

    frame: pd.DataFrame
    encoding: str
    path: Path
    separator: str = ""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        rows, columns = self.frame.shape
        return f"TextTable({self.path.name}: {rows} rows x {columns} columns, {self.encoding})"


def read_frame(path: str | Path, *, encoding: str | None = None) -> TextTable:
    """A table as text: comma, semicolon or tab separated (also gzipped), Parquet, or Excel.

    White space round headers and cells is taken off; the cells in `MISSING` are missing. Semicolons, tabs and the
    encoding are found out and said in the result.

    Parameters
    ----------
    path : path
        Ending in .csv, .tsv, .txt (each also with .gz), .parquet or .xlsx.
    encoding : str, optional
        The encoding, where finding it out would be wrong.

    Raises
    ------
    TableError
        The file is missing, empty, not text, has a header twice, or a row longer than the header.
    """
    path = Path(path)
    if path.is_dir():
        raise TableError(f"{path}: a folder, not a table. Name the file in it (.csv, .csv.gz, .tsv, .parquet, .xlsx)")
    if not path.is_file():
        raise TableError(
            f"{path}: no such file. Expected a table (.csv, .csv.gz, .tsv, .parquet, .xlsx); check the path"
        )
    name = path.name.lower()
    if name.endswith(".parquet"):
        return _read_parquet(path)
    if name.endswith((".xlsx", ".xlsm", ".xls")):
        return _read_excel(path)
    text, said = decode(_bytes(path), str(path), encoding=encoding)
    text, separator = _told_separator(text)
    separator = separator or _separator(text)
    frame, notes = _parse(text, separator, path)
    if encoding is None and said in ("GB18030", "Latin-1"):
        notes.append(f'read as {said}; if letters look wrong, name the encoding in the plan: encoding = "..."')
    return TextTable(frame, said, path, _SEPARATORS[separator], tuple(notes))


def number(text: str) -> float | None:
    """The number a cell holds, with a decimal point; None if it holds none. `inf` is a number here, `1_000` is not."""
    if not text.isascii() or "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value


def row_name(index: pd.Index[Any], position: int, patients: pd.Series[Any] | None = None) -> str:
    """How messages name a row: its row in the file, and its patient where known."""
    where = f"row {index[position] if index.name == 'file_row' else position + 1}"
    return where if patients is None else f"{where}, patient {patients.iloc[position]}"


def numeric(series: pd.Series[Any], name: str, *, patients: pd.Series[Any] | None = None) -> pd.Series[float]:
    """A column of text as numbers (missing cells NaN).

    Parameters
    ----------
    series : Series of str
        Index = row of the file, as `read_frame` gives it.
    name : str
        The column's name, for the message.
    patients : Series, optional
        Patient of each row, for the message.

    Raises
    ------
    TableError
        A cell is text; the message names the first few rows, patients and texts, and what to do.
    """
    values: list[float] = []
    wrong: list[int] = []
    missing = series.isna().to_numpy()
    cells = series.tolist()
    for position, cell in enumerate(cells):
        value = math.nan if missing[position] else number(str(cell))
        if value is None:
            wrong.append(position)
            value = math.nan
        values.append(value)
    if wrong:
        named = "; ".join(f"{row_name(series.index, i, patients)}, {str(cells[i])!r}" for i in wrong[:5])
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise TableError(
            f"text in a numeric column, {name!r}: {named}{more}; expected a number; {_advice([str(cells[i]) for i in wrong])}"
        )
    return pd.Series(values, index=series.index, name=series.name, dtype="float64")


def _decimal_comma(text: str) -> bool:
    """12,5: a number as half of Europe writes it, and no category."""
    return "," in text and number(text.replace(",", ".", 1)) is not None


def classify(series: pd.Series[Any]) -> ColumnKind:
    """What a column of text holds.

    The rule: *empty*, if every cell is missing; *numeric*, if more than half of its cells are numbers, also with a decimal
    comma (a text among them, and 12,5 is one, is then an error, not a category); *categorical*, if it has at most 20
    different values and at least one of them occurs twice; otherwise *text* (names, identifiers, remarks).
    """
    cells = [str(cell) for cell in series[series.notna()].tolist()]
    if not cells:
        return "empty"
    if sum(number(cell) is not None or _decimal_comma(cell) for cell in cells) > len(cells) / 2:
        return "numeric"
    levels = Counter(cells)
    repeated = max(levels.values()) > 1 or len(cells) <= 2
    return "categorical" if len(levels) <= _MOST_LEVELS and repeated else "text"


def _advice(texts: list[str]) -> str:
    """What to do about text where a number belongs."""
    if any(_decimal_comma(text) for text in texts):
        return "use a decimal point"
    if any(text[:1] in "<>≤≥~" for text in texts):
        return "write the number without a sign, or leave the cell empty"
    return "correct the cell, leave it empty, or declare the column categorical"


def _bytes(path: Path) -> bytes:
    """The file's bytes, inflated where its name ends in .gz."""
    data = path.read_bytes()
    if path.name.lower().endswith(".gz"):
        try:
            return gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise TableError(
                f"{path}: damaged or cut short: {error}. Expected a whole gzip file; copy it again"
            ) from error
    return data


def _told_separator(text: str) -> tuple[str, str]:
    """Excel's first line `sep=;`: the text with that line emptied (the rows keep their numbers), and the separator."""
    first, newline, rest = text.partition("\n")
    told = first.strip().strip('"')
    if told[:4].lower() == "sep=" and told[4:] in _SEPARATORS:
        return newline + rest, told[4:]
    return text, ""


def _separator(text: str) -> str:
    """The separator under which the first lines agree best."""
    sample = "\n".join(text.splitlines()[:30])
    best, best_score = ",", (False, 1)
    for separator in _SEPARATORS:
        lengths = [len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator) if row]
        if not lengths or lengths[0] < 2:
            continue
        score = (lengths.count(lengths[0]) >= len(lengths) * 0.9, lengths[0])
        if score > best_score:
            best, best_score = separator, score
    return best


def _parse(text: str, separator: str, path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The cells of a separated text, and what had to be decided."""
    cells_of = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    raw: list[list[str]] = []
    try:
        raw.extend(cells_of)
    except csv.Error as error:
        raise TableError(
            f"{path}: row {len(raw) + 1} cannot be taken apart: {error}; expected cells in balanced double quotes; correct that row"
        ) from error
    lines = [(at, [cell.strip() for cell in row]) for at, row in enumerate(raw, 1)]
    lines = [(at, row) for at, row in lines if any(row)]
    if not lines:
        raise TableError(f"{path}: the table is empty; expected a header row and one row a patient")
    header, notes = lines[0][1], []
    width = len(header)
    short = 0
    for at, row in lines[1:]:
        if len(row) > width:
            if any(row[width:]):
                raise TableError(
                    f"{path}: row {at} has {len(row)} cells, the header has {width}. "
                    f"Is a {_SEPARATORS[separator]} inside a cell? Put that cell in double quotes"
                )
            del row[width:]
        elif len(row) < width:
            short += 1
            row.extend([""] * (width - len(row)))
    if short:
        notes.append(f"{short} rows are shorter than the header; their last cells count as missing")
    cells = list(zip(*(row for _, row in lines[1:]), strict=True)) or [()] * width
    index = pd.Index([at for at, _ in lines[1:]], name="file_row", dtype="int64")
    return _frame(header, cells, index, path), notes


def _frame(header: list[str], cells: list[tuple[str, ...]], index: pd.Index[Any], path: Path) -> pd.DataFrame:
    """Named columns of text, missing markers made missing."""
    names, kept = [], []
    for position, (name, column) in enumerate(zip(header, cells, strict=True), 1):
        if not name and not any(cell not in MISSING for cell in column):
            continue  # an empty column, such as a comma at the end of every line leaves
        names.append(name or f"(column {position})")
        kept.append(column)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(
            f"{path}: the header holds {', '.join(map(repr, twice[:5]))} more than once. "
            "Every column needs a name of its own; rename or delete one"
        )
    columns = {
        name: pd.Series([None if cell in MISSING else cell for cell in column], index=index, dtype="str")
        for name, column in zip(names, kept, strict=True)
    }
    return pd.DataFrame(columns, index=index)


def _read_parquet(path: Path) -> TextTable:
    """A Parquet file as text; numbers keep every digit."""
    try:
        frame = pd.read_parquet(path)
        if not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index()
        return TextTable(_as_text(frame, path), "Parquet", path)
    except TableError:
        raise
    except (
        Exception
    ) as error:  # pyarrow raises errors of its own beside ValueErrors, some when a cell is first looked at
        raise TableError(f"{path}: unreadable as Parquet: {error}. Write it again, or save it as CSV") from error


def _read_excel(path: Path) -> TextTable:
    """The first sheet of a workbook as text, where a reader is installed."""
    if path.suffix.lower() == ".xls" or importlib.util.find_spec("openpyxl") is None:
        raise TableError(
            f"{path}: reading Excel workbooks needs .xlsx and the package openpyxl, which is not installed. "
            "Save the sheet as CSV instead (Excel: Save As, 'CSV UTF-8 (comma delimited)')"
        )
    try:
        sheets = pd.read_excel(
            path, sheet_name=None, header=None, dtype=object, keep_default_na=False, engine="openpyxl"
        )
    except Exception as error:  # openpyxl raises whatever its parsers raise
        said = str(error)[:200]  # some show the bytes of the file
        raise TableError(f"{path}: unreadable as an Excel workbook: {said}. Save the sheet as CSV") from error
    name, sheet = next(iter(sheets.items()))
    cells = sheet.astype(object).where(sheet.notna(), "").map(lambda cell: str(cell).strip())
    rows = [(at, list(row)) for at, row in enumerate(cells.itertuples(index=False), 1) if any(row)]
    if not rows:
        raise TableError(f"{path}: the sheet {name!r} is empty; expected a header row and one row a patient")
    index = pd.Index([at for at, _ in rows[1:]], name="file_row", dtype="int64")
    columns = list(zip(*(row for _, row in rows[1:]), strict=True)) or [()] * len(rows[0][1])
    notes = (f"sheet {name!r} of {len(sheets)} sheets was read",) if len(sheets) > 1 else ()
    return TextTable(_frame(rows[0][1], columns, index, path), "Excel", path, notes=notes)


def _as_text(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Typed cells as the text a CSV would hold."""
    columns = []
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        missing = column.isna()
        columns.append(
            tuple("" if gone else str(cell).strip() for cell, gone in zip(column.tolist(), missing, strict=True))
        )
    index = pd.Index(range(2, len(frame) + 2), name="file_row", dtype="int64")
    return _frame([str(name).strip() for name in frame.columns], columns, index, path)
