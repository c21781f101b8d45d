"""From what the table says to what happened to each patient: the outcome, who lacks one, and what it bars as predictor."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from isthmus.errors import PlanError, TableError
from isthmus.table.exclusion import exclusion_frame, exclusions
from isthmus.table.expression import Expression, parse_expression, truth, unknown_column
from isthmus.table.outcome import Outcome
from isthmus.table.reading import number, numeric
from isthmus.table.settings import OutcomeSettings

__all__ = ["DerivedOutcome", "check_classes", "contrast", "contrasts", "derive_outcome", "outcome_columns"]

_OPPOSITE = {"yes": "no", "no": "yes", "true": "false", "false": "true"}
_KNOWN = "1, true or yes (the event) and 0, false or no"


@dataclass(frozen=True, eq=False)
class DerivedOutcome:
    """The outcome of every patient who has one.

    Parameters
    ----------
    outcome : Outcome
        Index = patient, sorted.
    exclusions : DataFrame
        row, patient, step, reason: patients whose outcome is missing.
    barred : frozenset of str
        Columns that made the outcome, and so can never be predictors.
    """

    outcome: Outcome
    exclusions: pd.DataFrame
    barred: frozenset[str]


def outcome_columns(settings: OutcomeSettings, frame: pd.DataFrame) -> frozenset[str]:
    """The columns that the outcome reads, and that are therefore barred as predictors."""
    in_table = settings.outcome in frame.columns
    sources = {settings.outcome} if in_table else _expression(settings, frame).columns
    return frozenset(sources) | ({settings.time} if settings.time else set())


def derive_outcome(
    frame: pd.DataFrame, settings: OutcomeSettings, patients: pd.Series[Any], rows: pd.Series[Any] | None = None
) -> DerivedOutcome:
    """The outcome of each patient, from a column or an expression.

    Binary: `positive` names the event and exactly one other value must remain; without it 1, true, yes (any case, also
    1.0) are the event and 0, false, no are not. An expression must give true or false. A patient with several rows has
    one outcome; a row that lacks it takes it from the patient's other rows.

    Parameters
    ----------
    frame : DataFrame of str
        As `read_frame` gives it.
    settings : OutcomeSettings
    patients : Series
        Patient of each row, on the frame's index.
    rows : Series, optional
        The rows' names in the exclusions; by default the patients.

    Raises
    ------
    PlanError
        A column is unknown, or the plan says things that do not go together.
    TableError
        A third value, a single class, contradictory rows of one patient; each names values or patients with counts.
    """
    rows = patients if rows is None else rows
    _check_settings(settings, frame)
    labels, name = _labels(frame, settings, patients)
    times = None
    if settings.task == "survival":
        assert settings.time is not None
        times = numeric(frame[settings.time], settings.time, patients=patients)
        _check_times(times, settings.time, patients)
        labels = labels.where(times.notna())
    _check_contradictions(labels.map(_canonical, na_action="ignore"), patients, f"outcome {name!r}")
    if times is not None:
        _check_contradictions(times, patients, f"time {settings.time!r}")

    known = labels.notna()
    by_patient = labels[known].groupby(patients[known].to_numpy()).first().sort_index()
    lacking = ~patients.isin(by_patient.index)
    reason = (
        f"outcome {name!r} is missing" if times is None else f"outcome {name!r} or time {settings.time!r} is missing"
    )
    left_out = exclusions(rows[lacking], patients[lacking], "outcome", reason)
    if by_patient.empty:
        raise TableError(
            f"outcome {name!r}: no patient has one (all {patients.nunique()} are missing); check the column"
        )

    classes, code = _classes(by_patient, settings, name)
    by_patient.index.name = "patient"
    values = by_patient.map(code).astype("int64").rename(name)
    time = None
    if times is not None:
        time = times[known].groupby(patients[known].to_numpy()).first().loc[values.index].rename(settings.time)
        time.index.name = "patient"
    outcome = Outcome(name, settings.task, values, classes, time)
    check_classes(outcome)
    return DerivedOutcome(outcome, exclusion_frame([left_out]), outcome_columns(settings, frame))


def check_classes(outcome: Outcome) -> None:
    """Refuse an outcome of which only one class is left.

    Raises
    ------
    TableError
        With the count of every class.
    """
    counts = {label: int((outcome.values == code).sum()) for code, label in enumerate(outcome.classes)}
    said = ", ".join(f"{label!r}: {count}" for label, count in counts.items())
    where = f"outcome {outcome.name!r}"
    if outcome.task == "survival":
        if outcome.n_events == 0:
            raise TableError(
                f"{where}: none of {len(outcome.values)} patients has an event ({said}); nothing can be learnt"
            )
        return
    empty = [label for label, count in counts.items() if count == 0]
    if len(counts) - len(empty) < 2:
        raise TableError(
            f"{where}: all {len(outcome.values)} patients have one class ({said}); expected at least two. "
            "Check the column, positive = ..., and the rules of inclusion and exclusion"
        )
    if empty:
        raise TableError(
            f"{where}: no patient has {', '.join(map(repr, empty))} ({said}); take it out of order = [...]"
        )


def contrast(outcome: Outcome, first: str, second: str) -> Outcome:
    """A secondary outcome: the patients of two classes only, the first class being the event.

    Raises
    ------
    PlanError
        A class is not one of the outcome's.
    """
    for label in (first, second):
        if outcome.task == "survival" or label not in outcome.classes:
            raise PlanError(
                f"contrast {first!r} vs {second!r}: the outcome {outcome.name!r} has no class {label!r}; "
                f"its classes are {', '.join(map(repr, outcome.classes))}"
            )
    if first == second:
        raise PlanError(f"contrast {first!r} vs {second!r}: expected two different classes")
    event, other = outcome.classes.index(first), outcome.classes.index(second)
    chosen = outcome.values[outcome.values.isin([event, other])]
    name = f"{outcome.name}: {first} vs {second}"
    sub = Outcome(name, "binary", (chosen == event).astype("int64").rename(name), (second, first))
    check_classes(sub)
    return sub


def contrasts(outcome: Outcome, settings: OutcomeSettings) -> dict[str, Outcome]:
    """Every secondary comparison that the plan names."""
    return {label: contrast(outcome, *pair) for label, pair in settings.contrasts.items()}


def _check_settings(settings: OutcomeSettings, frame: pd.DataFrame) -> None:
    """What the plan says must go together."""
    task = settings.task
    if task == "survival" and settings.time is None:
        raise PlanError('task = "survival" needs time = "<column with the time to event or censoring>"')
    if task != "survival" and settings.time is not None:
        raise PlanError(
            f'time = {settings.time!r} belongs to task = "survival", the task is {task!r}; set the one or drop the other'
        )
    if settings.time is not None and settings.time not in frame.columns:
        raise unknown_column(settings.time, frame.columns, where="time")
    if task == "ordinal" and settings.order is None:
        raise PlanError('task = "ordinal" needs order = [...], the classes from lowest to highest')
    if settings.order is not None:
        if task not in ("multiclass", "ordinal"):
            raise PlanError(
                f"order = [...] belongs to multiclass and ordinal tasks, the task is {task!r}; use positive = ..."
            )
        if len(set(settings.order)) < len(settings.order):
            raise PlanError("order = [...] names a class twice")
    if settings.positive is not None and task not in ("binary", "survival"):
        raise PlanError(f"positive = ... belongs to binary and survival tasks, the task is {task!r}; use order = [...]")


def _expression(settings: OutcomeSettings, frame: pd.DataFrame) -> Expression:
    try:
        expression = parse_expression(settings.outcome)
    except Exception as error:
        raise PlanError(
            f"outcome = {settings.outcome!r} is neither a column of the table nor an expression over its columns: {error}"
        ) from error
    for name in sorted(expression.columns):
        if name not in frame.columns:
            raise unknown_column(name, frame.columns, where="outcome")
    return expression


def _labels(frame: pd.DataFrame, settings: OutcomeSettings, patients: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    """One label per row, and the outcome's name."""
    if settings.outcome in frame.columns:
        return frame[settings.outcome], settings.outcome
    expression = _expression(settings, frame)
    values = expression.evaluate(frame, patients=patients)
    texts: list[str | None]
    if values.dtype == "boolean":
        texts = [None if cell is pd.NA else ("yes" if cell else "no") for cell in values.tolist()]
    elif values.dtype == "float64":
        texts = [None if math.isnan(cell) else f"{cell:g}" for cell in values.tolist()]
    else:
        return values, settings.outcome
    return pd.Series(texts, index=frame.index, dtype="str"), settings.outcome


def _check_times(times: pd.Series[float], name: str, patients: pd.Series[Any]) -> None:
    wrong = (times < 0) | times.isin([math.inf])
    if wrong.any():
        named = ", ".join(
            f"{patient} ({value:g})" for patient, value in zip(patients[wrong][:5], times[wrong][:5], strict=True)
        )
        raise TableError(
            f"time {name!r}: negative or infinite for {named}; expected the time from baseline to event or censoring"
        )


def _check_contradictions(values: pd.Series[Any], patients: pd.Series[Any], where: str) -> None:
    """One patient, one outcome."""
    known = values.notna()
    pairs = pd.DataFrame({"patient": patients[known].to_numpy(), "value": values[known].to_numpy()}).drop_duplicates()
    several = pairs[pairs["patient"].duplicated(keep=False)]  # few, where grouping thousands takes seconds
    contradictory = several.groupby("patient")["value"].unique().sort_index()
    if len(contradictory):
        named = "; ".join(
            f"{patient}: {', '.join(map(str, found))}" for patient, found in contradictory.iloc[:5].items()
        )
        raise TableError(
            f"{where}: rows of one patient contradict each other: {named} ({len(contradictory)} patients in all). "
            "Expected one value a patient; correct the table"
        )


def _classes(
    labels: pd.Series[Any], settings: OutcomeSettings, name: str
) -> tuple[tuple[str, ...], Callable[[str], int]]:
    """The classes, and the code of a label."""
    found = _found(labels)
    if settings.task in ("binary", "survival"):
        return _two_classes(found, settings, name)
    order = list(settings.order) if settings.order is not None else sorted(found, key=_natural)
    codes = {label: position for position, label in enumerate(order)}
    unknown = {label: who for label, who in found.items() if label not in codes}
    if unknown:
        raise TableError(
            f"outcome {name!r}: {_said(unknown)} not in order = {order}; add the class or exclude its patients"
        )
    if len(order) < 3:
        raise TableError(
            f'outcome {name!r}: {settings.task} with the classes {_said(found)}; for two classes write task = "binary"'
        )
    return tuple(order), codes.__getitem__


def _two_classes(
    found: dict[str, list[str]], settings: OutcomeSettings, name: str
) -> tuple[tuple[str, ...], Callable[[str], int]]:
    """Negative and positive label, and 0 or 1 for each label."""
    if settings.positive is not None:
        wanted = settings.positive
        events = [label for label in found if _same(label, wanted)]
        others = {label: who for label, who in found.items() if label not in events}
        if not events:
            raise TableError(f"outcome {name!r}: positive = {wanted!r} does not occur; the values are {_said(found)}")
        if len(others) > 1:
            raise TableError(_third_value(found, name, f"besides positive = {wanted!r} expected one other value"))
        negative = next(iter(others), f"not {events[0]}")
        return (negative, events[0]), lambda label: int(label in events)
    readings = {label: truth(label) for label in found}
    if len(found) == 1 and None in readings.values():
        only = next(iter(found))  # one class: refused with its count later
        return (f"not {only}", only), lambda label: 1
    if None in readings.values():
        raise TableError(_third_value(found, name, f"expected {_KNOWN}"))
    negatives = [label for label, reading in readings.items() if reading is False]
    positives = [label for label, reading in readings.items() if reading is True]

    def usual(labels: list[str]) -> str:
        """The commonest of several spellings names the class."""
        return max(labels, key=lambda label: len(found[label]))

    negative = usual(negatives) if negatives else _OPPOSITE.get(positives[0].lower(), "0")
    positive = usual(positives) if positives else _OPPOSITE.get(negative.lower(), "1")
    return (negative, positive), lambda label: int(bool(truth(label)))


def _canonical(label: str) -> str:
    """One spelling for labels that say the same: 1, 1.0; yes, Yes."""
    value = number(label)
    return label.lower() if value is None and truth(label) is not None else label if value is None else f"{value:g}"


def _third_value(found: dict[str, list[str]], name: str, expected: str) -> str:
    values = f"the {len(found)} values {_said(found)}" if len(found) != 1 else f"only the value {_said(found)}"
    advice = (
        f"positive = {list(found)[-1]!r} (the event)"
        if len(found) == 2
        else 'task = "multiclass", or an expression such as ' + (f"outcome = \"{name} == '{list(found)[-1]}'\"")
    )
    also = "" if len(found) == 2 else ", or positive = ... after excluding the others"
    return f"outcome {name!r} has {values}; {expected}. Write {advice}{also}"


def _same(label: str, wanted: str | int | float | bool) -> bool:
    """Whether a cell holds the value that `positive` names: as text, or both as the same number or truth."""
    if isinstance(wanted, bool):
        return truth(label) is wanted
    if label == str(wanted):
        return True
    as_number = number(label)
    return as_number is not None and as_number == number(str(wanted))


def _found(labels: pd.Series[Any]) -> dict[str, list[str]]:
    """The labels in their natural order, each with its patients."""
    patients: dict[str, list[str]] = {str(label): [] for label in sorted(labels.unique(), key=_natural)}
    for patient, label in labels.items():
        patients[str(label)].append(str(patient))
    return patients


def _natural(label: str) -> tuple[float, str]:
    value = number(label)
    return (math.inf if value is None else value, label)


def _said(found: dict[str, list[str]]) -> str:
    """The labels with their counts, and with their patients where they are few."""
    shown = []
    for label, patients in list(found.items())[:8]:
        count = f"{len(patients)} patient{'s' if len(patients) > 1 else ''}"
        named = f": {', '.join(patients)}" if len(patients) <= 3 else ""
        shown.append(f"{label!r} ({count}{named})")
    return ", ".join(shown) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
