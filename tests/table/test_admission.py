"""Rules of inclusion and exclusion, and the splits a table declares."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.table.admission import admit, splits
from isthmus.table.settings import OutcomeSettings

FRAME = pd.DataFrame(
    {
        "patient": ["P1", "P2", "P2", "P3"],
        "size": ["10", "30", None, "50"],
        "centre": ["A", "B", "A", "B"],
        "split": ["train", "internal", "internal", "external"],
    },
    dtype="str",
)
ROWS = pd.Series(["P1", "P2/a", "P2/b", "P3"], dtype="str")


def admitted(**rules: dict[str, str]) -> list[list[Any]]:
    out = admit(FRAME, OutcomeSettings(outcome="y", **rules), FRAME["patient"], ROWS)
    return out[["row", "step", "reason"]].to_numpy().tolist()


def test_each_row_leaves_once() -> None:
    """A row leaves at the first rule that takes it out, and is not counted again."""
    assert admitted(exclude={"small": "size < 20", "all but P3": "patient != 'P3'"}) == [
        ["P1", "exclude", "excluded: small"],
        ["P2/b", "exclude", "cannot tell, a value is missing: small"],
        ["P2/a", "exclude", "excluded: all but P3"],
    ]


def test_includes_come_first() -> None:
    """Inclusion is applied before exclusion, whatever the order in the plan."""
    assert admitted(exclude={"large": "size > 40"}, include={"centre B": "centre == 'B'"}) == [
        ["P1", "include", "not included: centre B"],
        ["P2/b", "include", "not included: centre B"],
        ["P3", "exclude", "excluded: large"],
    ]


def test_without_rules_all_are_admitted() -> None:
    """No rule, no exclusion."""
    assert admitted() == []


def test_a_rule_without_a_condition_is_refused() -> None:
    """A rule that gives a number says what it needs, under its label."""
    with pytest.raises(PlanError, match=r"exclude 'odd': .*expected a condition"):
        admitted(exclude={"odd": "size + 1"})


def test_external_centres_win_over_the_column() -> None:
    """A centre named external is external, whatever the split column says."""
    frame = FRAME.assign(centre=["A", "B", "B", "C"])
    found = splits(frame, frame["patient"], ROWS, centre="centre", split="split", external=["B"])
    assert found["split"].tolist() == ["train", "external", "external", "external"]


def test_a_patient_on_both_sides_is_refused() -> None:
    """Rows of one patient in an external and a training centre are refused by name."""
    with pytest.raises(TableError, match="rows in more than one split: P2; expected all rows of a patient in one"):
        splits(FRAME, FRAME["patient"], ROWS, centre="centre", split=None, external=["B"])


def test_an_external_centre_needs_a_centre_column() -> None:
    """Naming an external centre without a column of centres says which key is missing."""
    with pytest.raises(PlanError, match="external names centre 'B', but the table has no column with the centres"):
        splits(FRAME, FRAME["patient"], ROWS, centre=None, split=None, external=["B"])
