"""Repeated measurements: the same lesions drawn, scanned or perturbed again, one row a measurement.

The table has `patient`, and `repeat` (who or which), or is what `isthmus extract --perturb` writes (`row` with its `#number`).
`subject` tells several lesions of a patient apart; `outside` says that the patient is not in the study.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.errors import TableError, first_few
from isthmus.table.reading import numeric, read_frame
from isthmus.table.steps import Array

__all__ = ["KEYS", "Measured", "arrange", "read_repeats"]

KEYS = ("patient", "subject", "repeat", "outside")
_FACTS = frozenset({*KEYS, "row", "perturbation", "centre", "split", "view", "lesion", "timepoint", "image"})
_YES = frozenset({"true", "1", "yes"})


class Measured(NamedTuple):
    """Features measured on the same subjects by the same repeats: values (subjects, repeats, features)."""

    columns: list[str]
    values: Array
    left_out: int
    """Subjects that lack one of the repeats."""


def read_repeats(path: str | Path) -> pd.DataFrame:
    """The table: patient, subject, repeat, outside, and the features as numbers.

    Raises
    ------
    TableError
        No column says whose row it is or which repeat, or a subject has one repeat twice.
    """
    path = Path(path)
    if not path.is_file():
        raise TableError(
            f"{path}: no such table of repeats. `isthmus extract --perturb ... --out {path.name}` writes one."
        )
    about = path.stat()
    return _read(str(path), about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int) -> pd.DataFrame:
    frame = pd.read_parquet(path) if path.endswith(".parquet") else read_frame(Path(path)).frame
    if "patient" not in frame.columns or not {"repeat", "row"} & set(frame.columns):
        raise TableError(
            f"{path}: expected the columns 'patient' and 'repeat' (or 'row', as `isthmus extract --perturb` writes it); "
            f"found {first_few(frame.columns)}"
        )
    patient = frame["patient"].astype("str")
    if "repeat" in frame.columns:
        repeat = frame["repeat"].astype("str")
        unit = frame["lesion"].astype("str") if "lesion" in frame.columns else None
        subject = patient + "/" + unit if unit is not None else patient
    else:
        parts = frame["row"].astype("str").str.rpartition("#")
        subject, repeat = parts[0], parts[2]
        if (subject == "").any():
            raise TableError(
                f"{path}: rows without '#number' in the column 'row'; write it with --perturb, or add 'repeat'"
            )
    keys = pd.DataFrame(
        {
            "patient": patient,
            "subject": frame["subject"].astype("str") if "subject" in frame.columns else subject,
            "repeat": repeat,
            "outside": _outside(frame),
        }
    )
    twice = keys[keys.duplicated(["subject", "repeat"])]
    if len(twice):
        one = twice.iloc[0]
        raise TableError(f"{path}: {one['subject']!r} has repeat {one['repeat']!r} twice ({len(twice)} such rows)")
    names = [name for name in frame.columns if name not in _FACTS]
    values = {
        name: frame[name].astype("float64")
        if pd.api.types.is_numeric_dtype(frame[name])
        else numeric(frame[name], str(name))
        for name in names
    }
    return pd.concat([keys, pd.DataFrame(values, index=frame.index)], axis=1)


def _outside(frame: pd.DataFrame) -> pd.Series[bool]:
    if "outside" not in frame.columns:
        return pd.Series(False, index=frame.index)
    return frame["outside"].astype("str").str.lower().isin(_YES)


def arrange(table: pd.DataFrame, columns: Sequence[str]) -> Iterator[Measured]:
    """The measurements as arrays, for features that are missing in the same rows together.

    A subject that lacks a repeat (or the feature in it) is left out of that feature: an ICC needs the same repeats of all.
    """
    missing = table[list(columns)].isna().to_numpy()
    patterns: dict[bytes, list[int]] = {}
    for index in range(missing.shape[1]):
        patterns.setdefault(missing[:, index].tobytes(), []).append(index)
    for indices in patterns.values():
        names = [columns[index] for index in indices]
        rows = table[~missing[:, indices[0]]]
        yield _arranged(rows, names)


def _arranged(rows: pd.DataFrame, names: list[str]) -> Measured:
    subjects, of_subject = np.unique(rows["subject"].to_numpy(dtype=str), return_inverse=True)
    repeats, of_repeat = np.unique(rows["repeat"].to_numpy(dtype=str), return_inverse=True)
    there: NDArray[np.bool_] = np.zeros((len(subjects), len(repeats)), dtype=bool)
    there[of_subject, of_repeat] = True
    values = np.full((len(subjects), len(repeats), len(names)), np.nan)
    values[of_subject, of_repeat] = rows[names].to_numpy(dtype=np.float64)
    whole = there.all(axis=1)
    return Measured(names, values[whole], int((~whole).sum()))
