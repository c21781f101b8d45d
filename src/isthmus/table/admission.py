"""Who is admitted: labelled rules of inclusion and exclusion, centres, and the split the table itself declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from isthmus.errors import PlanError, TableError
from isthmus.table.exclusion import exclusion_frame, exclusions
from isthmus.table.expression import parse_expression
from isthmus.table.reading import row_name
from isthmus.table.settings import OutcomeSettings

__all__ = ["SPLITS", "admit", "splits"]

SPLITS = ("train", "internal", "external")


def admit(
    frame: pd.DataFrame, settings: OutcomeSettings, patients: pd.Series[Any], rows: pd.Series[Any]
) -> pd.DataFrame:
    """Apply the plan's `include` and `exclude` rules in their order; each row leaves at the first that takes it out.

    A rule that cannot be decided, because a cell it reads is missing, takes the row out too, and says so.

    Returns
    -------
    DataFrame
        row, patient, step ("include" or "exclude"), reason.

    Raises
    ------
    PlanError
        A rule does not parse or names an unknown column.
    """
    inside = pd.Series(True, index=frame.index)
    parts = []
    rules = [("include", *rule) for rule in settings.include.items()]
    rules += [("exclude", *rule) for rule in settings.exclude.items()]
    for step, label, text in rules:
        try:
            holds = parse_expression(text).condition(frame, patients=patients)
        except (PlanError, TableError) as error:
            raise type(error)(f"{step} {label!r}: {error}") from error
        unknown = inside & holds.isna()
        decided = holds.fillna(False).astype(bool)
        out = inside & ~holds.isna() & (~decided if step == "include" else decided)
        reason = f"not included: {label}" if step == "include" else f"excluded: {label}"
        parts.append(exclusions(rows[out], patients[out], step, reason))
        parts.append(exclusions(rows[unknown], patients[unknown], step, f"cannot tell, a value is missing: {label}"))
        inside &= ~out & ~unknown
    return exclusion_frame(parts)


def splits(
    frame: pd.DataFrame,
    patients: pd.Series[Any],
    rows: pd.Series[Any],
    *,
    centre: str | None,
    split: str | None,
    external: Sequence[str] = (),
) -> pd.DataFrame:
    """Row, patient, centre and split (train, internal or external) of every row.

    Parameters
    ----------
    centre, split : str or None
        The columns; without one, there is one centre "" and everybody is `train`.
    external : sequence of str
        Centres whose rows are external, besides those that the table marks.

    Raises
    ------
    PlanError
        A centre named as external does not exist.
    TableError
        A split is none of the three, or a patient is on both sides.
    """
    centres = (
        frame[centre].fillna("").astype("str") if centre is not None else pd.Series("", index=frame.index, dtype="str")
    )
    if centre is None and external:
        raise PlanError(
            f"[validate] external names centre {external[0]!r}, but the table has no column with the centres; "
            'name it: centre = "..."'
        )
    known = centres.value_counts()
    unknown = [name for name in external if name not in known.index]
    if unknown:
        said = ", ".join(f"{name!r} ({known[name]} rows)" for name in sorted(known.index))
        raise PlanError(f"[validate] external: unknown centre {unknown[0]!r}; the table's centres are {said}")
    declared = _declared(frame, split, patients)
    declared = declared.where(~centres.isin(list(external)), "external")
    result = pd.DataFrame({"row": rows, "patient": patients, "centre": centres, "split": declared}, dtype="str")
    mixed = result.groupby("patient")["split"].nunique()
    both = sorted(mixed.index[mixed > 1])
    if both:
        raise TableError(
            f"patients with rows in more than one split: {', '.join(both[:5])}"
            f"{f' and {len(both) - 5} more' if len(both) > 5 else ''}; expected all rows of a patient in one; correct the table"
        )
    return result


def _declared(frame: pd.DataFrame, split: str | None, patients: pd.Series[Any]) -> pd.Series[Any]:
    """The split the table declares; `train` without one."""
    if split is None:
        return pd.Series("train", index=frame.index, dtype="str")
    said = frame[split].str.lower()
    wrong = ~said.isin(SPLITS)
    if wrong.any():
        position = int(wrong.to_numpy().argmax())
        cell = frame[split].iloc[position]
        what = "no split" if pd.isna(cell) else f"split {str(cell)!r}"
        raise TableError(
            f"column {split!r}: {row_name(frame.index, position, patients)} has {what} ({int(wrong.sum())} such rows); "
            f"expected {', '.join(SPLITS)}; correct the cells, or delete the column to have everybody in train"
        )
    return said
