"""Tables of biology with one row a patient: graded stains, features of slides, protein values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from isthmus.biology.stains import grades
from isthmus.errors import TableError, did_you_mean, first_few
from isthmus.table.reading import classify, numeric, read_frame

__all__ = ["graded_columns", "number_columns", "read_patients"]

_IDS = ("patient", "patientid", "patient_id", "id", "case", "sample")


def read_patients(path: str | Path, identifier: str | None = None) -> pd.DataFrame:
    """A table as text by patient.

    Parameters
    ----------
    path : path
    identifier : str, optional
        The column of patients (default: `patient`, `PatientID`, `id` ..., else the first).

    Raises
    ------
    TableError
        No such column, or a patient stands twice or has no name.
    """
    frame = read_frame(path).frame
    name = identifier
    if name is None:
        name = next((c for wanted in _IDS for c in frame.columns if c.lower() == wanted), str(frame.columns[0]))
    if name not in frame.columns:
        raise TableError(f"{path}: no column {name!r}.{did_you_mean(name, frame.columns)}")
    if frame[name].isna().any():
        raise TableError(f"{path}: no patient in row {frame.index[frame[name].isna()][0]} (column {name!r})")
    twice = frame[name][frame[name].duplicated()]
    if len(twice):
        raise TableError(
            f"{path}: patients stand more than once: {first_few(twice.unique())}; expected one row a patient"
        )
    return frame.set_index(name).rename_axis("patient")


def number_columns(table: pd.DataFrame, chosen: Sequence[str] | None = None) -> pd.DataFrame:
    """The numbers of a table: the columns chosen (text in them is an error), or every column of numbers.

    Raises
    ------
    TableError
        A column does not exist or is no number; or there is none.
    """
    names = list(chosen) if chosen else [name for name in table.columns if classify(table[name]) == "numeric"]
    for name in names:
        if name not in table.columns:
            raise TableError(f"no column {name!r}.{did_you_mean(name, table.columns)}")
    if not names:
        raise TableError(f"no column of numbers among {first_few(table.columns)}")
    return pd.DataFrame({name: numeric(table[name], name).to_numpy() for name in names}, index=table.index)


def graded_columns(table: pd.DataFrame, levels: Sequence[str], chosen: Sequence[str] | None = None) -> pd.DataFrame:
    """Codes of the markers chosen, or of every column all of whose cells are levels.

    Raises
    ------
    TableError
        As `grades`; or no column is graded.
    """
    known = {level.strip().lower() for level in levels}
    names = list(chosen) if chosen else [
        name for name in table.columns
        if table[name].notna().any() and {str(cell).strip().lower() for cell in table[name].dropna()} <= known
    ]  # fmt: skip
    if not names:
        raise TableError(
            f"no column whose cells are the levels {', '.join(levels)}; name the levels from low to high, or the markers"
        )
    return grades(table, names, levels)
