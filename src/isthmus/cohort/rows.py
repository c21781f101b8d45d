"""The rows of a case table and their files, without a study around them (no outcome, no rules)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from isthmus.cohort.reading import _check_patients, _path, _row_ids
from isthmus.errors import TableError
from isthmus.table.expression import unknown_column
from isthmus.table.reading import TextTable, read_frame

__all__ = ["case_rows", "read_case_rows"]


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
    read: TextTable, *, patient: str = "patient", root: Path | None = None, images: Sequence[str] = ()
) -> pd.DataFrame:
    """The same for a table already read, restricted to these images."""
    frame = read.frame
    if patient not in frame.columns:
        raise unknown_column(patient, frame.columns, where=f"{read.path}, the column with the patients")
    _check_patients(frame, patient, read.path)
    rows = pd.DataFrame({"row": _row_ids(frame, patient), "patient": frame[patient].astype("str")})
    start = root if root is not None else read.path.resolve().parent
    for name in images:
        for column in (f"image:{name}", f"mask:{name}"):
            if column not in frame.columns:
                raise unknown_column(column, frame.columns, where=str(read.path))
            rows[column] = frame[column].map(lambda cell: str(_path(cell, start)), na_action="ignore").astype("str")
        if f"label:{name}" in frame.columns:
            rows[f"label:{name}"] = frame[f"label:{name}"]
    return rows.sort_values("row", kind="stable", ignore_index=True)
