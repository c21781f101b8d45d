"""Many cases with the same note are one line."""

from pathlib import Path

import pandas as pd

from isthmus.study.extraction import CaseFiles
from isthmus.study.notes import said_once


def notes_of(number: int) -> tuple[pd.DataFrame, list[CaseFiles]]:
    """A note that names the image, for so many cases, and another for the first."""
    cases = [CaseFiles(f"P{n}", f"P{n}", {"us": Path(f"us/{n}.png")}, {}) for n in range(number)]
    rows = [{"row": c.row, "block": "us", "note": f"{c.images['us']}: no pixel size"} for c in cases]
    return pd.DataFrame([*rows, {"row": "P0", "block": "us", "note": "not defined: x"}]), cases


def test_a_note_of_many_cases_is_said_once() -> None:
    """The file's name is left out; other notes stay."""
    said = said_once(*notes_of(8))
    assert [(one.cases, one.note) for one in said] == [
        ("8 cases (P0, P1, P2, P3, P4 and 3 more)", "no pixel size"),
        ("case P0", "not defined: x"),
    ]


def test_a_few_cases_are_named_one_by_one() -> None:
    """Each with its file."""
    said = said_once(*notes_of(3))
    assert [(one.cases, one.note) for one in said[:3]] == [
        (f"case P{n}", f"{Path('us') / f'{n}.png'}: no pixel size") for n in range(3)
    ]
