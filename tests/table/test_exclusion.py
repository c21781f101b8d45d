"""Exclusions as data."""

from __future__ import annotations

import pandas as pd

from isthmus.table.exclusion import EXCLUSION_COLUMNS, exclusion_frame, exclusions


def test_empty_frame_has_its_columns() -> None:
    """Without exclusions there is an empty table with the same columns."""
    assert list(exclusion_frame().columns) == list(EXCLUSION_COLUMNS)


def test_parts_keep_their_order() -> None:
    """Several tables become one, in their order, empty ones left out."""
    names = pd.Series(["a", "b"])
    parts = [exclusions(names, names, "one", "x"), exclusion_frame(), exclusions(names[:1], names[:1], "two", "y")]
    assert exclusion_frame(parts)["step"].tolist() == ["one", "one", "two"]
