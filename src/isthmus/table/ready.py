"""[table]: a ready feature table instead of images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from isthmus.errors import TableError, first_few
from isthmus.table.admission import admit, splits
from isthmus.table.exclusion import exclusion_frame, exclusions
from isthmus.table.expression import unknown_column
from isthmus.table.features import ColumnMeta, FeatureTable
from isthmus.table.outcome import Outcome
from isthmus.table.outcomes import check_classes, derive_outcome
from isthmus.table.paths import resolve_path
from isthmus.table.problem import Findings, Problem
from isthmus.table.reading import classify, numeric, read_frame
from isthmus.table.settings import TableSettings
from isthmus.table.suspicion import numbered, suspects

__all__ = ["ReadyTable", "read_feature_table"]


class ReadyTable(NamedTuple):
    """A feature table somebody else made, taken apart.

    Parameters
    ----------
    table : FeatureTable
        The features of the patients in the study; rows on the index 0, 1, ..., sorted by patient.
    outcome : Outcome
        Of the same patients.
    rows : DataFrame of str
        Of every patient of the file, left out or not: row, patient, centre, split.
    exclusions : DataFrame
        row, patient, step, reason.
    problems : list of Problem
        Notes: constant columns, missing values, the encoding.
    """

    table: FeatureTable
    outcome: Outcome
    rows: pd.DataFrame
    exclusions: pd.DataFrame
    problems: list[Problem]
    beside: pd.DataFrame
    """The columns that are neither features nor facts ([table] ignore), for the rows of `table`."""


def read_feature_table(settings: TableSettings, *, base: Path, external: Sequence[str] = ()) -> ReadyTable:
    """A feature table as it lies: one row a patient; every column that is not named otherwise is a numeric feature.

    Parameters
    ----------
    settings : TableSettings
    base : Path
        The plan's folder, where relative paths start.
    external : sequence of str
        Centres that no choice may touch.

    Raises
    ------
    PlanError
        A column or centre is unknown.
    TableError
        A patient occurs twice, text stands in a numeric column, no feature remains, the outcome cannot be used.
    """
    findings = Findings()
    path = resolve_path(settings.path, base)
    read = read_frame(path, encoding=settings.encoding)
    frame = read.frame
    _check_columns(settings, frame)
    nameless = frame.index[frame[settings.id].isna()]
    frame = frame.assign(**{settings.id: _ids(frame, settings.id, path)}).sort_values(settings.id, kind="stable")
    ids = frame[settings.id]
    rows = splits(frame, ids, ids, centre=settings.centre, split=settings.split, external=external)
    findings.note(path.name, f"{len(frame)} rows x {frame.shape[1]} columns, {read.encoding}")
    for note in read.notes:
        findings.note(path.name, note)

    without = exclusions(ids[nameless], ids[nameless], "id", f"no patient in column {settings.id!r}")
    for row in nameless:
        what = f"no patient in column {settings.id!r}"
        findings.note(f"row {row}", what, do="fill it in; the other rows go on", severity="case", case=str(ids[row]))
    named = ~ids.index.isin(nameless)
    left_out = exclusion_frame([without, admit(frame[named], settings, ids[named], ids[named])])
    inside = ~ids.isin(left_out["row"])
    if not inside.any():
        raise TableError(
            f"{path}: the rules of inclusion and exclusion leave no patient; check [table] include and exclude"
        )
    derived = derive_outcome(frame[inside], settings, ids[inside])
    left_out = exclusion_frame([left_out, derived.exclusions])
    kept = ~ids.isin(left_out["row"])
    check_classes(derived.outcome)
    aside = {settings.id, settings.centre, settings.split, *settings.ignore, *derived.barred}
    values = _features(frame[kept], [name for name in frame.columns if name not in aside], ids[kept], findings)
    facts = rows[kept.to_numpy()].reset_index(drop=True)
    columns = tuple(ColumnMeta(column=name, feature=name) for name in values.columns)
    training = pd.Index(facts.loc[facts["split"] == "train", "patient"])
    findings.problems += suspects(values.set_axis(facts["patient"].to_numpy()), derived.outcome, training)
    findings.problems += numbered(values.set_axis(facts["patient"].to_numpy()), derived.outcome, training)
    table = FeatureTable(values.set_axis(facts.index), facts, columns)
    beside = frame.loc[kept, [name for name in settings.ignore if name not in derived.barred]].set_axis(facts.index)
    return ReadyTable(table, derived.outcome, rows.reset_index(drop=True), left_out, findings.problems, beside)


def _check_columns(settings: TableSettings, frame: pd.DataFrame) -> None:
    named = {"id": settings.id, "centre": settings.centre, "split": settings.split}
    for key, name in [*named.items(), *(("ignore", name) for name in settings.ignore)]:
        if name is not None and name not in frame.columns:
            raise unknown_column(name, frame.columns, where=f"[table] {key}")


def _ids(frame: pd.DataFrame, name: str, path: Path) -> pd.Series[Any]:
    """The patients, each once; a row that names none goes by its place in the file until it is left out."""
    ids = frame[name].fillna(pd.Series([f"(row {row})" for row in frame.index], index=frame.index, dtype="str"))
    twice = sorted(set(ids[ids.duplicated()]))
    if twice:
        named = "; ".join(f"patient {who} in rows {', '.join(map(str, frame.index[ids == who]))}" for who in twice[:5])
        raise TableError(
            f"{path}: duplicate patients in column {name!r}: {named} ({len(twice)} in all); expected one row a patient; "
            "keep one row each, or name the right column: id = ..."
        )
    return ids


def _features(frame: pd.DataFrame, names: list[str], ids: pd.Series[Any], findings: Findings) -> pd.DataFrame:
    """The numeric features, with notes on the odd ones."""
    columns: dict[str, pd.Series[float]] = {}
    errors: list[str] = []
    for name in names:
        try:
            columns[name] = numeric(frame[name], name, patients=ids)
        except TableError as error:
            errors.append(
                str(error) if classify(frame[name]) == "numeric" else f"{error}, or list it in [table] ignore"
            )
    if errors:
        more = f"\nand {len(errors) - 3} more columns" if len(errors) > 3 else ""
        raise TableError("\n".join(errors[:3]) + more)
    if not columns:
        raise TableError("[table]: no feature is left beside the id, the outcome and the ignored columns")
    values = pd.DataFrame(columns, index=frame.index)
    infinite = np.isinf(values.to_numpy()).any(axis=0)
    for name in values.columns[infinite]:
        findings.note(name, f"infinite for {first_few(ids[np.isinf(values[name])])}: counted as missing")
    values = values.where(np.isfinite(values))
    empty, constant = _odd(values)
    if empty:
        findings.note("features", f"{len(empty)} without any value: {first_few(empty)}; no model can use them")
    if constant:
        findings.note(
            "features", f"{len(constant)} constant: {first_few(constant)}; the variance filter takes them out"
        )
    missing = int(values.isna().sum().sum())
    if missing:
        findings.note("features", f"{missing} of {values.size} cells are missing; they are imputed inside the folds")
    return values


def _odd(values: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Columns without a value, and columns with one value only."""
    levels = values.nunique()
    return list(levels.index[levels == 0]), list(levels.index[levels == 1])
