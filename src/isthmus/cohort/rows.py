"""The rows of a case table, their names and their files, without a study around them (no outcome, no rules)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from isthmus.cohort.cohort import KEYS
from isthmus.errors import TableError
from isthmus.table.expression import unknown_column
from isthmus.table.reading import TextTable, read_frame

__all__ = ["absolute_path", "case_rows", "check_patients", "path_cells", "read_case_rows", "row_ids"]


def read_case_rows(path: Path, *, root: Path | None = None) -> pd.DataFrame:
    """Row, patient, and every `image:`, `mask:` and `label:` column of a case table, paths absolute.

    Raises
    ------
    TableError
        The table cannot be read, names no patient, or no image with a mask.
    """
    read = read_frame(path)
    names = [name.removeprefix("image:") for name in read.frame.columns if name.startswith("image:")]
    if not names:
        raise TableError(
            f"{path}: no image: column. Expected patient, image:<name>, mask:<name>; `isthmus init FOLDER` writes such a table"
        )
    return case_rows(read, root=root, images=names)


def case_rows(
    read: TextTable,
    *,
    patient: str = "patient",
    root: Path | None = None,
    images: Sequence[str] = (),
    masks: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The same for a table already read, restricted to these images and masks (by default the masks of the images' names)."""
    frame = read.frame
    if patient not in frame.columns:
        raise unknown_column(patient, frame.columns, where=f"{read.path}, the column with the patients")
    check_patients(frame, patient, read.path)
    rows = pd.DataFrame({"row": row_ids(frame, patient), "patient": frame[patient].astype("str")})
    columns = [f"image:{name}" for name in images] + [f"mask:{name}" for name in (images if masks is None else masks)]
    for column in columns:
        if column not in frame.columns:
            raise unknown_column(column, frame.columns, where=str(read.path))
    start = root if root is not None else read.path.resolve().parent
    rows = pd.concat([rows, path_cells(frame, columns, start)], axis=1)
    return rows.sort_values("row", kind="stable", ignore_index=True)


def path_cells(frame: pd.DataFrame, columns: Sequence[str], root: Path) -> pd.DataFrame:
    """The paths in these `image:` and `mask:` columns, absolute, and the `label:` column of each mask where there is one."""
    cells = pd.DataFrame(index=frame.index)
    for column in columns:
        cells[column] = frame[column].map(lambda cell: str(absolute_path(cell, root)), na_action="ignore").astype("str")
        label = f"label:{column.removeprefix('mask:')}"
        if column.startswith("mask:") and label in frame.columns:
            cells[label] = frame[label]
    return cells


def row_ids(frame: pd.DataFrame, patient: str) -> pd.Series[Any]:
    """The rows' names: the patient, and what tells the rows of one patient apart."""
    ids = frame[patient].astype("str")
    for key in KEYS:
        if key in frame.columns:
            ids = ids.str.cat(frame[key].fillna("").astype("str"), sep="/")
    return ids.str.rstrip("/")


def check_patients(frame: pd.DataFrame, patient: str, path: Path) -> None:
    """Every row has a patient, and no two rows are the same one.

    Raises
    ------
    TableError
        Names the rows without a patient, or the patients with several rows that nothing tells apart.
    """
    patients = frame[patient]
    if patients.isna().any():
        rows = ", ".join(map(str, frame.index[patients.isna()][:5]))
        raise TableError(f"{path}: no patient in row {rows} (column {patient!r}); fill it in or delete the row")
    ids = row_ids(frame, patient)
    twice = sorted(set(ids[ids.duplicated()]))
    if twice:
        keys = [key for key in KEYS if key in frame.columns]
        named = "; ".join(f"patient {who} in rows {', '.join(map(str, frame.index[ids == who]))}" for who in twice[:5])
        how = (
            f"different {' / '.join(keys)} in each row"
            if keys
            else "a column view, lesion or timepoint that tells them apart"
        )
        raise TableError(
            f"{path}: duplicate patients: {named} ({len(twice)} in all); expected one row a patient, or {how}; "
            "delete the rows that are there twice"
        )


def absolute_path(cell: str, root: Path) -> Path:
    """A cell's path, absolute; backslashes of Windows are understood elsewhere too."""
    path = Path(os.path.abspath(root / cell))
    if os.sep == "/" and "\\" in cell and not path.exists():
        return Path(os.path.abspath(root / cell.replace("\\", "/")))
    return path
