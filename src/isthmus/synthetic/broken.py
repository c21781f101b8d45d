"""Cohorts that went wrong the way real ones do, for tests and for learning what the messages mean.

`spoil` takes a good cohort made by `make_cohort` and does one thing to it, in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from isthmus.image import Geometry, Image
from isthmus.image.io import read_image, read_labels, write_image, write_labels
from isthmus.image.labels import LabelImage
from isthmus.synthetic.plan import OUTCOME

__all__ = ["SPOILS", "spoil"]


@dataclass(frozen=True, slots=True)
class _Case:
    """One row of the cohort's table, and its files."""

    folder: Path
    row: int
    patient: str
    image: Path
    mask: Path


def spoil(folder: str | Path, kind: str, *, row: int = 0) -> str:
    """Break a good synthetic cohort in one named way.

    Parameters
    ----------
    folder : path
        A cohort written by `make_cohort` with format "nii.gz"; it is changed in place.
    kind : str
        One of `SPOILS`.
    row : int
        The row of the case table that goes wrong, 0 for the first (whole-cohort kinds ignore it).

    Returns
    -------
    str
        The patient that went wrong.

    Raises
    ------
    ValueError
        The kind is not known.
    """
    if kind not in SPOILS:
        raise ValueError(f"kind = {kind!r}: expected one of {', '.join(SPOILS)}")
    folder = Path(folder)
    patient = _table(folder).iloc[row]
    case = _Case(folder, row, patient["patient"], folder / patient["image:ct"], folder / patient["mask:ct"])
    SPOILS[kind](case)
    return case.patient


def _missing_file(case: _Case) -> None:
    """The image is not where the table says."""
    case.image.unlink()


def _truncated_image(case: _Case) -> None:
    """The copy of the image broke off half way."""
    data = case.image.read_bytes()
    case.image.write_bytes(data[: len(data) // 2])


def _mask_on_other_grid(case: _Case) -> None:
    """The mask was drawn on another series: one slice less, other spacing."""
    mask = read_labels(case.mask)
    k, j, i = mask.geometry.spacing_mm
    values = mask.values[1:]
    other = Geometry(values.shape, (1.25 * k, j, i), mask.geometry.origin_mm)
    write_labels(LabelImage(values, other), case.mask)


def _empty_mask(case: _Case) -> None:
    """Nothing was outlined."""
    mask = read_labels(case.mask)
    write_labels(LabelImage(np.zeros_like(mask.values), mask.geometry), case.mask)


def _one_voxel_mask(case: _Case) -> None:
    """A single click instead of an outline."""
    mask = read_labels(case.mask)
    values = np.zeros_like(mask.values)
    values[tuple(np.argwhere(mask.values > 0)[0])] = 1
    write_labels(LabelImage(values, mask.geometry), case.mask)


def _nan_voxels(case: _Case) -> None:
    """A conversion left voxels of the lesion without a value."""
    image, mask = read_image(case.image), read_labels(case.mask)
    values = image.values.astype(np.float32)
    values[tuple(np.argwhere(mask.values > 0)[::3].T)] = np.nan
    write_image(Image(values, image.geometry, image.quantity), case.image)


def _unknown_plan_key(case: _Case) -> None:
    """`fold` for `folds`."""
    plan = case.folder / "plan.toml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("\nfolds = ", "\nfold = ", 1), encoding="utf-8")


def _duplicate_patient(case: _Case) -> None:
    """A patient stands in the table twice."""
    table = _table(case.folder)
    _write_table(case, pd.concat([table, table.iloc[[case.row]]]))


def _one_class_outcome(case: _Case) -> None:
    """Nobody had the event."""
    _write_table(case, _table(case.folder).assign(**{OUTCOME: "0"}))


def _third_outcome_value(case: _Case) -> None:
    """Somebody wrote 2 for 'unknown'."""
    _write_cell(case, OUTCOME, "2")


def _text_in_numeric_column(case: _Case) -> None:
    """An age in words."""
    _write_cell(case, "age_years", "fifty-two")


def _unreadable_encoding(case: _Case) -> None:
    """The table was saved as UTF-16 without a byte order mark."""
    path = case.folder / "cases.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16-le"))


def _table(folder: Path) -> pd.DataFrame:
    """The case table, every cell as text."""
    return pd.read_csv(folder / "cases.csv", dtype="str", keep_default_na=False)


def _write_table(case: _Case, table: pd.DataFrame) -> None:
    table.to_csv(case.folder / "cases.csv", index=False)


def _write_cell(case: _Case, column: str, text: str) -> None:
    table = _table(case.folder)
    table.loc[case.row, column] = text
    _write_table(case, table)


SPOILS: MappingProxyType[str, Callable[[_Case], None]] = MappingProxyType(
    {
        "missing-file": _missing_file,
        "truncated-image": _truncated_image,
        "mask-on-other-grid": _mask_on_other_grid,
        "empty-mask": _empty_mask,
        "one-voxel-mask": _one_voxel_mask,
        "nan-voxels": _nan_voxels,
        "unknown-plan-key": _unknown_plan_key,
        "duplicate-patient": _duplicate_patient,
        "one-class-outcome": _one_class_outcome,
        "third-outcome-value": _third_outcome_value,
        "text-in-numeric-column": _text_in_numeric_column,
        "unreadable-encoding": _unreadable_encoding,
    }
)
