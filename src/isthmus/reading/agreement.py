"""How well readers agree, question by question: kappa of choices, the ICC of numbers, each with its interval."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from isthmus.reading.form import CANNOT_TELL
from isthmus.reading.record import Answers, ReadingRecord
from isthmus.reading.settings import FieldSettings
from isthmus.stats.agreement.icc import icc
from isthmus.stats.agreement.kappa import cohen_kappa

__all__ = ["COLUMNS", "agreement_table"]

COLUMNS = (
    "field",
    "choice",
    "reader_a",
    "reader_b",
    "n",
    "measure",
    "estimate",
    "lower",
    "upper",
    "observed",
    "method",
)
_FEWEST = 2

Row = dict[str, Any]


def agreement_table(record: ReadingRecord, *, confidence: float = 0.95) -> pd.DataFrame:
    """Agreement of every two readers on the cases both have signed.

    Ordered choices: Cohen's kappa with quadratic weights; other choices: without weights; several choices: kappa of each, as yes or no;
    numbers: ICC(2,1), absolute agreement. Pairs in which one of the two could not judge, or was not asked, are left out: `n` says how many
    are in.

    Returns
    -------
    DataFrame
        field, choice (of "several"), reader_a, reader_b, n, measure ("kappa", "weighted kappa", "icc"), estimate, lower, upper, observed
        (share of equal answers), method. Missing where it cannot be estimated; `method` says why.
    """
    done = {
        reader: {case: one for case, one in record.done(reader).items() if one.signed} for reader in record.readers()
    }
    rows: list[Row] = []
    for a, b in itertools.combinations(sorted(done), 2):
        shared = sorted(set(done[a]) & set(done[b]))
        pair = [(done[a][case], done[b][case]) for case in shared]
        for field in record.form.fields:
            if field.kind != "text":
                rows += [{"reader_a": a, "reader_b": b, **row} for row in _field(field, pair, confidence)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _field(field: FieldSettings, pair: Sequence[tuple[Answers, Answers]], confidence: float) -> list[Row]:
    given = [
        (one.answers[field.name], two.answers[field.name])
        for one, two in pair
        if _both(field, one.answers, two.answers)
    ]
    if field.kind == "number":
        return [_number(field, given, confidence)]
    if field.kind == "choice":
        return [_choice(field, given, confidence)]
    return [
        _kappa(
            field.name, choice, [(choice in one, choice in two) for one, two in given], (False, True), False, confidence
        )
        for choice in field.choices
    ]


def _both(field: FieldSettings, one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    return all(answers.get(field.name) not in (None, CANNOT_TELL) for answers in (one, two))


def _choice(field: FieldSettings, given: Sequence[tuple[Any, Any]], confidence: float) -> Row:
    places = [(field.choices.index(one), field.choices.index(two)) for one, two in given]
    return _kappa(
        field.name, "", places, tuple(range(len(field.choices))), field.ordered and len(field.choices) > 2, confidence
    )


def _kappa(
    name: str,
    choice: str,
    given: Sequence[tuple[Any, Any]],
    classes: tuple[Any, ...],
    weighted: bool,
    confidence: float,
) -> Row:
    row: Row = {"field": name, "choice": choice, "n": len(given), "measure": "weighted kappa" if weighted else "kappa"}
    if len(given) < _FEWEST:
        return {**row, "method": f"fewer than {_FEWEST} cases signed by both"}
    first, second = zip(*given, strict=True)
    found = cohen_kappa(
        first, second, weights="quadratic" if weighted else "none", classes=classes, confidence=confidence
    )
    limits = found.interval
    same = float(np.mean([one == two for one, two in given]))
    return {
        **row,
        "estimate": limits.estimate,
        "lower": limits.lower,
        "upper": limits.upper,
        "observed": same,
        "method": limits.method,
    }


def _number(field: FieldSettings, given: Sequence[tuple[float, float]], confidence: float) -> Row:
    row: Row = {"field": field.name, "choice": "", "n": len(given), "measure": "icc"}
    if len(given) < _FEWEST:
        return {**row, "method": f"fewer than {_FEWEST} cases signed by both"}
    found = icc(np.array(given), "2,1", confidence=confidence)
    estimate, lower, upper = (float(part[0]) for part in (found.estimate, found.lower, found.upper))
    same = float(np.mean([one == two for one, two in given]))
    method = "ICC(2,1), absolute agreement" + (
        "" if np.isfinite(estimate) else ": undefined, all measurements are equal"
    )
    return {**row, "estimate": estimate, "lower": lower, "upper": upper, "observed": same, "method": method}
