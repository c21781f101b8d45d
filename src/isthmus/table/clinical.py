"""[clinical]: the block of clinical predictors, from the case table or from a second table joined by patient."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import LeakageError, PlanError, TableError, first_few
from isthmus.table.clinical_settings import ClinicalSettings
from isthmus.table.dictionary import ColumnSettings, labelled, typed
from isthmus.table.exclusion import exclusion_frame, exclusions
from isthmus.table.expression import parse_expression, unknown_column
from isthmus.table.features import ColumnMeta
from isthmus.table.paths import resolve_path
from isthmus.table.reading import TextTable, classify, numeric, read_frame

__all__ = [
    "CLINICAL",
    "ClinicalBlock",
    "ClinicalSettings",
    "JoinLoss",
    "clinical_block",
    "join_clinical",
    "read_clinical",
]

CLINICAL = "clinical"
"""The block's name, for `blocks = ["clinical", ...]`."""

_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_SUSPECT_NAME = re.compile(r"(^|[\s_.-])(id|mrn|accession|uid|date|datum|barcode)([\s_.-]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class JoinLoss:
    """What a join by patient kept and lost.

    Parameters
    ----------
    source : str
        The second table.
    matched : tuple of str
        Patients found in both.
    only_in_cases, only_in_table : tuple of str
        Patients found in one of the two.
    """

    source: str
    matched: tuple[str, ...]
    only_in_cases: tuple[str, ...]
    only_in_table: tuple[str, ...]

    def __str__(self) -> str:
        lost = f"; without a row there: {first_few(self.only_in_cases)}" if self.only_in_cases else ""
        extra = f"; only there: {first_few(self.only_in_table)}" if self.only_in_table else ""
        total = len(self.matched) + len(self.only_in_cases)
        return f"joined with {self.source}: {len(self.matched)} of {total} patients found{lost}{extra}"

    @property
    def frame(self) -> pd.DataFrame:
        """One row a patient: `patient, status` (matched, only in cases, only in table)."""
        parts = {"matched": self.matched, "only in cases": self.only_in_cases, "only in table": self.only_in_table}
        rows = [(patient, self.source, status) for status, patients in parts.items() for patient in patients]
        return pd.DataFrame(rows, columns=["patient", "table", "status"])


@dataclass(frozen=True, eq=False)
class ClinicalBlock:
    """The clinical predictors, one row a patient.

    Parameters
    ----------
    values : DataFrame
        Index = patient, sorted; numeric columns float64, categorical ones text; missing cells NaN.
    columns : tuple of ColumnMeta
        Facts of the columns, in their order; `unit` is "category" for categorical ones, `parameter` the expression
        of a derived one.
    exclusions : DataFrame
        row, patient, step, reason.
    notes : tuple of str
        Missing counts, columns that look like dates or identifiers, constant columns, ratios and their parts.
    described : DataFrame
        What Table 1 shows of the same patients: predictors, parts of ratios and columns with role "describe", words for codes.
    """

    values: pd.DataFrame
    columns: tuple[ColumnMeta, ...]
    exclusions: pd.DataFrame
    notes: tuple[str, ...]
    described: pd.DataFrame

    def restricted(self, patients: pd.Index[Any]) -> ClinicalBlock:
        """The block of these patients."""
        values = self.values[self.values.index.isin(patients)]
        return replace(self, values=values, described=self.described.loc[values.index])

    @property
    def categorical(self) -> tuple[str, ...]:
        return tuple(meta.column for meta in self.columns if meta.unit == "category")

    @property
    def numeric(self) -> tuple[str, ...]:
        return tuple(meta.column for meta in self.columns if meta.unit != "category")


def read_clinical(settings: ClinicalSettings, *, base: Path) -> TextTable | None:
    """The second clinical table, if the plan names one.

    Raises
    ------
    PlanError
        The table has no column with the patients.
    TableError
        It cannot be read, or a patient occurs twice.
    """
    if settings.table is None:
        return None
    table = read_frame(resolve_path(settings.table, base), encoding=settings.encoding)
    if settings.id not in table.frame.columns:
        raise unknown_column(settings.id, table.frame.columns, where=f"[clinical] id, {table.path.name}")
    ids = table.frame[settings.id]
    if ids.isna().any():
        rows = ", ".join(map(str, table.frame.index[ids.isna()][:5]))
        raise TableError(
            f"{table.path}: no patient in row {rows} (column {settings.id!r}); fill it in or delete the row"
        )
    twice = sorted(set(ids[ids.duplicated()]))
    if twice:
        raise TableError(
            f"{table.path}: more than one row for {first_few(tuple(twice))}; expected one row a patient; keep one each"
        )
    return table


def join_clinical(
    frame: pd.DataFrame, patients: pd.Series[Any], table: TextTable, settings: ClinicalSettings
) -> tuple[pd.DataFrame, JoinLoss]:
    """The case table with the clinical columns beside it, and what the join lost.

    Columns that both tables have are taken from the clinical table only where the case table lacks them; a column in both
    is an error, unless it says the same for everybody.

    Raises
    ------
    TableError
        No patient is found in both, or a column stands in both tables and differs.
    """
    other = table.frame.set_index(settings.id)
    here, there = set(patients), set(other.index)
    loss = JoinLoss(
        str(table.path.name), tuple(sorted(here & there)), tuple(sorted(here - there)), tuple(sorted(there - here))
    )
    if not loss.matched:
        raise TableError(
            f"[clinical] {table.path}: no patient of the case table is in column {settings.id!r}: "
            f"case table {first_few(loss.only_in_cases)}; clinical table {first_few(loss.only_in_table)}. "
            "Expected the same spelling in both; correct the ids, or name the right column: id = ..."
        )
    joined = other.reindex(patients.to_numpy()).set_axis(frame.index)
    common = [name for name in joined.columns if name in frame.columns]
    for name in common:
        both = joined[name].notna() & frame[name].notna()
        if (joined.loc[both, name] != frame.loc[both, name]).any():
            raise TableError(
                f"[clinical] column {name!r} stands in the case table and in {table.path.name}, and they differ; rename one"
            )
    return pd.concat([frame, joined.drop(columns=common)], axis=1), loss


def clinical_block(
    frame: pd.DataFrame,
    settings: ClinicalSettings,
    barred: frozenset[str],
    patients: pd.Series[Any],
    *,
    rows: pd.Series[Any] | None = None,
    known: frozenset[str] | None = None,
    few: bool = False,
) -> ClinicalBlock:
    """The clinical predictors of every patient.

    Parameters
    ----------
    frame : DataFrame of str
        The case table (joined with the clinical table where there is one).
    settings : ClinicalSettings
    barred : frozenset of str
        Columns that made the outcome.
    patients : Series
        Patient of each row, on the frame's index.
    rows : Series, optional
        The rows' names in the exclusions; by default the patients.
    known : frozenset of str, optional
        Patients that the joined table holds; the others are excluded.
    few : bool
        A few new patients, who may all lack a declared column; otherwise one without any value is an error.

    Raises
    ------
    LeakageError
        A predictor is a column that made the outcome, or derives from one.
    PlanError
        A column is unknown, or declared twice over.
    TableError
        Text in a numeric column, too many categories, rows of one patient that differ, a column without any value.
    """
    rows = patients if rows is None else rows
    expressions = settings.expressions
    _check_names(settings, frame, expressions)
    _check_barred(settings, barred, expressions)
    notes: list[str] = []
    columns: dict[str, pd.Series[Any]] = {}
    metas: dict[str, ColumnMeta] = {}
    by_row = {}
    for name in (name for name in settings.columns if name not in expressions):
        by_row[name], metas[name], said = _column(frame, name, settings, patients, few=few)
        columns[name] = _per_patient(by_row[name], name, patients)
        notes += [*said, *_remarks(frame, name, columns[name])]
    numbers = {
        name: by_row[name]
        for name, column in settings.columns.items()
        if name in by_row and column.kind in ("number", "date")
    }
    ready = frame.assign(**numbers)  # derived ones are of converted numbers
    for name, text in expressions.items():
        made, metas[name] = _derived(ready, name, text, settings, patients)
        columns[name] = _per_patient(made, name, patients)
        notes += _remarks(frame, name, columns[name])
    notes += _of_ratios(settings)
    everything = pd.DataFrame(columns).sort_index()
    everything.index.name = "patient"
    values = everything[settings.predictors]
    if not len(values.columns):
        raise PlanError('[clinical] columns: none has role = "predictor"; there is nothing to predict with')

    parts = []
    if known is not None:
        absent = ~patients.isin(known)
        parts.append(exclusions(rows[absent], patients[absent], CLINICAL, "not in the clinical table"))
        values = values[values.index.isin(known)]
    if settings.missing == "exclude":
        incomplete = values.isna()
        lacking = incomplete.any(axis=1)
        reasons = incomplete[lacking].apply(lambda row: f"missing: {', '.join(row.index[row])}", axis=1)
        gone = patients.isin(values.index[lacking])
        if gone.any():
            parts.append(exclusions(rows[gone], patients[gone], CLINICAL, patients[gone].map(reasons)))
        values = values[~lacking]
    shown = [name for name in everything.columns if settings.columns.get(name, ColumnSettings()).role != "part"]
    described = labelled(everything.loc[values.index, shown], settings.columns)
    facts = tuple(metas[name] for name in values.columns)
    return ClinicalBlock(values, facts, exclusion_frame(parts), tuple(notes), described)


def _check_names(settings: ClinicalSettings, frame: pd.DataFrame, expressions: dict[str, str]) -> None:
    for key in ("numeric", "categorical"):
        for name in getattr(settings, key):
            if name not in settings.columns:
                raise PlanError(
                    f"[clinical] {key}: {name!r} is not among columns = {list(settings.columns)}; add it there"
                )
    both = sorted(set(settings.numeric) & set(settings.categorical))
    if both:
        raise PlanError(f"[clinical] {both[0]!r} is declared numeric and categorical; keep one")
    for name in expressions:
        if name in frame.columns:
            key = "derive" if name in settings.derive else "ratios"
            raise PlanError(f"[clinical] {key}: {name!r} is already a column of the table; give it another name")
    for name in settings.columns:
        if name not in expressions and name not in frame.columns:
            raise unknown_column(name, frame.columns, where="[clinical] columns")


def _check_barred(settings: ClinicalSettings, barred: frozenset[str], expressions: dict[str, str]) -> None:
    """A column that made the outcome predicts it perfectly and means nothing."""
    for name, column in settings.columns.items():
        if name not in expressions and name in barred and column.role == "predictor":
            raise LeakageError(
                f"[clinical] columns: {name!r} made the outcome, so it cannot be a predictor; take it out of columns"
            )
    for name, text in expressions.items():
        leaking = sorted(parse_expression(text).columns & barred)
        if leaking:
            raise LeakageError(
                f"[clinical] derive: {name!r} uses {leaking[0]!r}, which made the outcome, so it cannot be a predictor"
            )


def _of_ratios(settings: ClinicalSettings) -> list[str]:
    """Whether ratios or their parts are predictors; both say the same thing twice."""
    if not settings.ratios:
        return []
    said = ", ".join(f"{name} = {settings.expressions[name].replace('`', '')}" for name in settings.ratios)
    parts = ", ".join(settings.parts_of_ratios)
    if settings.ratio_parts == "drop":
        return [f"{said}: the ratios are predictors, their parts ({parts}) are not"]
    return [
        f"{said}: ratios and parts ({parts}) are both predictors and say the same twice; their odds ratios mean little"
    ]


def _derived(
    frame: pd.DataFrame, name: str, text: str, settings: ClinicalSettings, patients: pd.Series[Any]
) -> tuple[pd.Series[Any], ColumnMeta]:
    """A predictor by its expression, row by row, and its facts."""
    values = parse_expression(text).evaluate(frame, patients=patients)
    if values.dtype == "boolean":
        values = values.astype("Float64").astype("float64")
    column = settings.columns.get(name, ColumnSettings())
    if values.dtype == "float64":
        if column.range is not None:
            low, high = column.range
            outside = (values < low) | (values > high)
            if outside.any():
                raise TableError(
                    f"[clinical] derive: {name!r} is outside its range {low:g} to {high:g} for {first_few(tuple(patients[outside]))}; "
                    "correct its parts"
                )
        return values, _meta(name, "numeric", parameter=text, unit=column.unit)
    return values, _meta(name, "categorical", parameter=text)


def _column(
    frame: pd.DataFrame, name: str, settings: ClinicalSettings, patients: pd.Series[Any], *, few: bool = False
) -> tuple[pd.Series[Any], ColumnMeta, list[str]]:
    """One column of the table, row by row, its facts, and what the user should know."""
    series, column = frame[name], settings.columns[name]
    if column.kind is not None:
        if not few and not series.notna().any():
            raise TableError(f"[clinical] column {name!r} holds no value at all; take it out of columns")
        values, notes = typed(series, name, column, patients)
        kind = "categorical" if column.kind == "category" else "numeric"
        return values, _meta(name, kind, unit=column.unit), notes
    if name in settings.categorical:
        return series, _meta(name, "categorical"), []
    kind = "numeric" if name in settings.numeric else classify(series)
    if kind == "empty":
        raise TableError(f"[clinical] column {name!r} holds no value at all; take it out of columns")
    if kind == "text" and column.role == "describe":
        return series, _meta(name, "categorical"), []
    if kind == "text":
        raise TableError(
            f"[clinical] column {name!r} holds {series.nunique()} different texts ({first_few(tuple(sorted(set(series.dropna()))))}); "
            "expected numbers or at most 20 categories. Derive a condition from it, or declare it: categorical = [...]"
        )
    if kind == "numeric":
        return _finite(numeric(series, name, patients=patients), name, patients), _meta(name, kind), []
    return series, _meta(name, kind), []


def _finite(values: pd.Series[float], name: str, patients: pd.Series[Any]) -> pd.Series[float]:
    infinite = np.isinf(values)
    if infinite.any():
        raise TableError(
            f"[clinical] column {name!r} is infinite for {first_few(tuple(patients[infinite]))}; leave the cell empty"
        )
    return values


def _meta(name: str, kind: str, parameter: str = "", unit: str = "") -> ColumnMeta:
    unit = "category" if kind == "categorical" else unit
    return ColumnMeta(column=name, family=CLINICAL, feature=name, parameter=parameter, unit=unit)


def _per_patient(series: pd.Series[Any], name: str, patients: pd.Series[Any]) -> pd.Series[Any]:
    """One value a patient; rows that lack it take it from the patient's other rows."""
    groups = series.groupby(patients.to_numpy())
    several = groups.nunique()
    different = sorted(several.index[several > 1])
    if different:
        raise TableError(
            f"[clinical] column {name!r} differs between rows of one patient: {first_few(tuple(different))}; "
            "expected one value a patient; a value of a single lesion or view cannot be a clinical predictor"
        )
    return groups.first()


def _remarks(frame: pd.DataFrame, name: str, values: pd.Series[Any]) -> list[str]:
    """What the user should look at twice."""
    notes = []
    missing = int(values.isna().sum())
    if missing:
        notes.append(f"{name}: missing for {missing} of {len(values)} patients")
    present = values.dropna()
    if present.nunique() == 1:
        notes.append(f"{name}: the same value for every patient; it cannot tell them apart")
    texts = frame[name].dropna() if name in frame.columns else pd.Series(dtype="str")
    if len(texts) and texts.map(lambda text: _DATE.fullmatch(str(text)) is not None).all():
        notes.append(
            f"{name}: holds dates; a date often tells who was recruited when, not what the disease does (rule L10)"
        )
    elif _SUSPECT_NAME.search(name):
        notes.append(f"{name}: looks like an identifier or a date, which must not be a predictor (rule L10)")
    return notes
