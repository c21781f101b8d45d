"""The cases of a case table that can be reviewed: an image, and the mask proposed for it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from isthmus.app.settings import AppSettings
from isthmus.cohort.rows import case_rows
from isthmus.errors import TableError
from isthmus.roi.origin import origin_kind
from isthmus.table.reading import number, read_frame

__all__ = ["Case", "folder_name", "read_cases"]


@dataclass(frozen=True)
class Case:
    """One mask to review.

    Parameters
    ----------
    name : str
        The row's name in the table, with the image's name where the table has several images.
    patient, image_name : str
    image : Path
    mask : Path or None
        None: nothing is proposed, the reader draws it.
    label : int or str or None
        The lesion's, where the mask holds several.
    origin : str
        "network", "semi-automatic", "manual", "edited", or "unknown": column `mask_origin`, or the mask's origin file.
    confidence : float or None
        Of the proposal: column `confidence`.
    """

    name: str
    patient: str
    image_name: str
    image: Path
    mask: Path | None
    label: int | str | None
    origin: str
    confidence: float | None


def read_cases(settings: AppSettings) -> list[Case]:
    """Every image of the table, row by row; no outcome and no clinical value is read.

    Raises
    ------
    TableError
        No case table, none of its columns is an image, or two cases have one name.
    """
    assert settings.cases is not None
    table = read_frame(settings.cases)
    images = [name.removeprefix("image:") for name in table.frame.columns if name.startswith("image:")]
    if not images:
        raise TableError(f"{settings.cases}: no image: column. Expected patient, image:<name>, mask:<name>")
    masks = [name for name in images if f"mask:{name}" in table.frame.columns]
    rows = case_rows(table, root=settings.root, images=images, masks=masks)
    facts = table.frame.set_axis(_names(table.frame), axis=0)
    found: list[Case] = []
    for row in rows.to_dict("records"):
        beside = facts.loc[row["row"]]
        for image in images:
            where = row[f"image:{image}"]
            if pd.isna(where):
                continue
            mask = row.get(f"mask:{image}")
            path = None if mask is None or pd.isna(mask) else Path(mask)
            name = row["row"] if len(images) == 1 else f"{row['row']}/{image}"
            confidence = _first(beside, f"confidence:{image}", "confidence")
            found.append(
                Case(
                    name=name, patient=row["patient"], image_name=image, image=Path(where), mask=path,
                    label=_label(row.get(f"label:{image}")),
                    origin=_first(beside, f"mask_origin:{image}", "mask_origin") or origin_kind(path),
                    confidence=None if confidence is None else number(confidence),
                )
            )  # fmt: skip
    return found


def _names(frame: pd.DataFrame) -> pd.Series[str]:
    from isthmus.cohort.rows import row_ids

    return row_ids(frame, "patient")


def _first(row: pd.Series[str], *columns: str) -> str | None:
    """The first of these cells that says something."""
    return next((str(row[name]) for name in columns if name in row.index and pd.notna(row[name])), None)


def _label(cell: object) -> int | str | None:
    if cell is None or pd.isna(cell):  # type: ignore[call-overload]
        return None
    text = str(cell)
    return int(text) if text.isdigit() else text


def folder_name(name: str) -> str:
    """A name of a case or reader as a folder: letters, digits, `.-_`, and a few characters of its hash where that changed anything."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name).strip(".") or "_"
    plain = plain[:60]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
