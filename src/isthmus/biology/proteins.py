"""A table of protein abundances, one row a protein and one column a sample, and the groups of its samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from isthmus.biology.settings import Scale
from isthmus.errors import TableError, first_few
from isthmus.table.reading import MISSING, number, numeric, read_frame

__all__ = ["ProteinTable", "check_scale", "read_groups", "read_protein_table"]

_LARGEST_LOG2 = 60.0  # 2^60: no detector counts so far


@dataclass(frozen=True, eq=False)
class ProteinTable:
    """Abundances as they stand in the file, and what is known of proteins and samples.

    Parameters
    ----------
    values : DataFrame (proteins, samples)
        NaN where not measured; of raw intensities all others are positive.
    proteins : DataFrame (proteins, ...)
        The columns of the file that are no samples, as text (`gene`, ...).
    samples : DataFrame (samples, ...)
        `group`, and the other columns of the table of groups, as text.
    scale : {"raw", "log2"}
    notes : tuple of str
        What was left out, and what was decided.
    """

    values: pd.DataFrame
    proteins: pd.DataFrame
    samples: pd.DataFrame
    scale: Scale
    notes: tuple[str, ...] = ()


def read_protein_table(
    table: str | Path, groups: str | Path, *, scale: Scale = "raw", protein: str | None = None
) -> ProteinTable:
    """Read a protein table and the table of groups (`sample, group`, and any other column).

    Parameters
    ----------
    table : path
        One row a protein, one column a sample; columns that are not among the samples are facts of the protein.
    groups : path
        One row a sample. Samples of the protein table that are not in it are left out and counted.
    scale : {"raw", "log2"}
        Of raw intensities, 0 means not measured, and a negative one is an error.
    protein : str, optional
        The column of names (default: the first one).

    Raises
    ------
    TableError
        A sample is not in the table, a protein has no name or a name twice, a cell is no number.
    """
    samples = read_groups(groups)
    read = read_frame(table)
    frame, notes = read.frame, list(read.notes)
    if protein is not None and protein not in frame.columns:
        raise TableError(f"{table}: no column {protein!r}; its columns are {first_few(frame.columns)}")
    name = str(frame.columns[0]) if protein is None else protein
    absent = [sample for sample in samples.index if sample not in frame.columns]
    if absent:
        raise TableError(
            f"{groups}: {len(absent)} of {len(samples)} samples are no column of {table}: {first_few(absent)}. "
            f"Its columns are {first_few(frame.columns)}; write the samples as the header does"
        )
    names = frame[name]
    if names.isna().any():
        raise TableError(f"{table}: column {name!r} is empty in row {frame.index[names.isna()][0]}; name every protein")
    twice = names[names.duplicated()]
    if len(twice):
        raise TableError(
            f"{table}: {twice.nunique()} names stand in column {name!r} more than once: {first_few(twice.unique())}. "
            "Choose a column with one name a row (--protein)"
        )
    values = pd.DataFrame(
        {s: numeric(frame[s], s).to_numpy() for s in samples.index}, index=pd.Index(names, name="protein")
    )
    rest = [column for column in frame.columns if column not in samples.index and column != name]
    others = [column for column in rest if _numbers(frame[column])]
    if others:
        notes.append(
            f"{len(others)} columns of numbers are not among the samples and were left out: {first_few(others)}"
        )
    proteins = frame[[column for column in rest if column not in others]].set_axis(values.index)
    values, said = check_scale(values, scale, str(table))
    return ProteinTable(values, proteins, samples, scale, (*notes, *said))


def check_scale(values: pd.DataFrame, scale: Scale, where: str) -> tuple[pd.DataFrame, list[str]]:
    """The values with what was not measured as NaN, and what was found; numbers that cannot be of the scale are an error."""
    numbers = values.to_numpy(dtype=np.float64)
    if np.isinf(numbers).any():
        raise TableError(f"{where}: infinite values; expected numbers, and empty cells where nothing was measured")
    notes = []
    if scale == "raw":
        if (numbers < 0).any():
            row, column = np.argwhere(numbers < 0)[0]
            raise TableError(
                f"{where}: {values.index[row]} in {values.columns[column]} is {numbers[row, column]:g}; raw intensities cannot be "
                "negative. If the table is on a log2 scale, say so: --scale log2"
            )
        zeros = int((numbers == 0).sum())
        if zeros:
            notes.append(f"{zeros} intensities of 0 count as not measured")
            values = values.where(values > 0)
    elif np.nanmax(numbers, initial=0.0) > _LARGEST_LOG2:
        raise TableError(
            f"{where}: values up to {np.nanmax(numbers):g} cannot be logarithms to base 2; if they are raw intensities, say so: --scale raw"
        )
    empty = values.isna().all(axis=1)
    if empty.any():
        notes.append(f"{int(empty.sum())} proteins were measured in no sample and were left out")
        values = values[~empty]
    return values, notes


def read_groups(path: str | Path) -> pd.DataFrame:
    """The table of groups by sample: `group` and every other column, as text.

    Raises
    ------
    TableError
        A column is missing, a sample stands twice or has no group.
    """
    frame = read_frame(path).frame
    for column in ("sample", "group"):
        if column not in frame.columns:
            raise TableError(
                f"{path}: no column {column!r}; expected `sample, group`, and got {first_few(frame.columns)}"
            )
        if frame[column].isna().any():
            row = frame.index[frame[column].isna()][0]
            raise TableError(f"{path}: no {column} in row {row}; fill it in, or take the row out")
    twice = frame["sample"][frame["sample"].duplicated()]
    if len(twice):
        raise TableError(
            f"{path}: samples stand more than once: {first_few(twice.unique())}; expected one row a sample"
        )
    return frame.set_index("sample")


def _numbers(column: pd.Series[str]) -> bool:
    """Does a column hold numbers only (so that it is a measurement, not a fact of the protein)?"""
    cells = [str(cell) for cell in column.dropna() if str(cell) not in MISSING]
    return bool(cells) and all(number(cell) is not None for cell in cells)
