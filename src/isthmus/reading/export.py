"""The answers as a clinical table with its data dictionary, as [clinical] of a plan reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from isthmus.errors import TableError, did_you_mean
from isthmus.reading.form import CANNOT_TELL, Form
from isthmus.reading.record import CONSENSUS, Answers, ReadingRecord, differing
from isthmus.reading.settings import FieldSettings

__all__ = ["Exported", "column_names", "dictionary", "dictionary_text", "exported"]


@dataclass(frozen=True, eq=False)
class Exported:
    """The clinical table (one row a case), where each row comes from, and what is not in it.

    `table`: patient, then the columns of the form, then `read_by`. `open`: case, reason: cases whose answers are not final.
    """

    table: pd.DataFrame
    open: pd.DataFrame


def exported(record: ReadingRecord, cases: Mapping[str, str], *, reader: str | None = None) -> Exported:
    """The clinical table of the cases that are settled.

    A case is settled by its consensus; or because only one reader signed it; or because all who did chose the same, then a number is the
    mean of theirs. Where readers differ in a choice and have not agreed, the case is left out and `open` says so.

    Parameters
    ----------
    record : ReadingRecord
    cases : mapping
        Case -> patient, in the order of the table.
    reader : str, optional
        Only this reader's own signed answers, and no consensus.

    Raises
    ------
    TableError
        No reader of that name, or no case is settled.
    """
    if reader is not None and reader not in record.readers():
        raise TableError(f"no answers of a reader {reader!r}.{did_you_mean(reader, record.readers())}")
    rows, left = [], []
    for case, patient in cases.items():
        found = _settled(record, case, reader)
        if isinstance(found, str):
            left.append((case, found))
            continue
        by = f"{CONSENSUS}: {', '.join(found.by)}" if found.reader == CONSENSUS else found.reader
        several = {"case": case} if case != patient else {}
        rows.append({"patient": patient, **several, **_cells(record.form, found.answers), "read_by": by})
    if not rows:
        raise TableError(
            f"{record.folder}: no case is settled: {left[0][0]}: {left[0][1]}" if left else f"{record.folder}: no case"
        )
    names = [
        "patient",
        *(["case"] if any("case" in row for row in rows) else []),
        *column_names(record.form),
        "read_by",
    ]
    return Exported(pd.DataFrame(rows, columns=names), pd.DataFrame(left, columns=["case", "reason"]))


def _settled(record: ReadingRecord, case: str, reader: str | None) -> Answers | str:
    """The answers that count, or why there are none."""
    if reader is not None:
        own = record.own(reader, case)
        return own if own.signed else "not signed" if own.version else "not read"
    agreed = record.settled(case)
    if agreed is not None:
        return agreed
    signed = record.signed(case)
    if not signed:
        return "not signed by anybody"
    differ = differing(record.form, signed)
    if not differ:
        return replace(signed[0], reader=", ".join(one.reader for one in signed), answers=_merged(record.form, signed))
    return f"readers differ ({', '.join(differ)}) and there is no consensus"


def _merged(form: Form, signed: Sequence[Answers]) -> dict[str, Any]:
    """Choices all share, the mean of their numbers, their texts one after the other."""
    merged: dict[str, Any] = {}
    for field in form.fields:
        given = [one.answers[field.name] for one in signed if field.name in one.answers]
        if given:
            merged[field.name] = (
                sum(given) / len(given)
                if field.kind == "number"
                else " / ".join(given)
                if field.kind == "text"
                else given[0]
            )
    return merged


def _cells(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for field in form.fields:
        value = answers.get(field.name)
        value = None if value == CANNOT_TELL else value
        if field.kind == "several":
            cells |= {
                column: None if value is None else "yes" if choice in value else "no"
                for choice, column in _columns(field)
            }
        else:
            cells[field.name] = value
    return cells


def column_names(form: Form) -> list[str]:
    """The columns of the table, in order: one a question, of several choices one a choice."""
    return [column for field in form.fields for _, column in _columns(field)]


def _columns(field: FieldSettings) -> list[tuple[str, str]]:
    if field.kind != "several":
        return [("", field.name)]
    return [
        (choice, f"{field.name}_{re.sub(r'[^A-Za-z0-9]+', '_', choice).strip('_').lower()}") for choice in field.choices
    ]


def dictionary(form: Form) -> dict[str, dict[str, Any]]:
    """[clinical.columns] of the table: what each column holds. Texts are no predictors and not among them."""
    found: dict[str, dict[str, Any]] = {}
    for field in form.fields:
        when = {"when": field.when} if field.when is not None else {}
        for choice, column in _columns(field):
            if field.kind == "text":
                continue
            label = f"{field.question}: {choice}" if choice else field.question
            found[column] = {**_facts(field), **when, "label": label.rstrip("?")}
    return found


def _facts(field: FieldSettings) -> dict[str, Any]:
    if field.kind == "several":
        return {"type": "yes/no"}
    if field.kind == "number":
        limits = {"range": list(field.range)} if field.range is not None else {}
        return {"type": "number", **({"unit": field.unit} if field.unit else {}), **limits}
    if field.ordered:
        return {"type": "ordinal", "levels": list(field.choices)}
    return {"type": "category", "levels": list(field.choices)}


def dictionary_text(form: Form, table: str) -> str:
    """The section of a plan that reads the table, as TOML: to paste, or to keep beside it."""
    lines = [
        f"# The answers of the readers as clinical predictors: paste this into the plan that lies beside {table}", "", "[clinical]",
        f"table = {json.dumps(table, ensure_ascii=False)}", 'id = "patient"',
    ]  # fmt: skip
    for name, facts in dictionary(form).items():
        lines += ["", f"[clinical.columns.{name}]", *(f"{key} = {_value(value)}" for key, value in facts.items())]
    return "\n".join(lines) + "\n"


def _value(value: str | Sequence[Any]) -> str:
    return json.dumps(value, ensure_ascii=False)  # texts and lists of texts or numbers are the same in TOML
