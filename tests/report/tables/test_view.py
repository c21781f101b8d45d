"""A table as the page prints it."""

from __future__ import annotations

import pandas as pd
import pytest

from isthmus.report.tables import table_one
from isthmus.report.tables._view import View
from isthmus.study.result import Result

NAMES = [f"f{number}" for number in range(9)]


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(pd.DataFrame({"Feature": NAMES})), True),
        (View(pd.DataFrame({"Feature": NAMES[:5]})), False),
        (View(pd.DataFrame({"Feature": NAMES}), groups={0: "model"}), False),
        (View(pd.DataFrame({"Feature": [*NAMES, "\u2003level"]})), False),
    ],
    ids=["long", "short", "grouped", "indented"],
)
def test_sortable(view: View, expected: bool) -> None:
    """A long table is sorted, unless rows belong to a heading or to the row above them."""
    assert view.sortable == expected


def test_table_one_keeps_its_order(full_run: Result) -> None:
    """Levels stay under their variable."""
    view = table_one.view(full_run)
    assert view is not None
    assert not view.sortable
