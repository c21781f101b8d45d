"""docs/reference/features.md is what the definitions in the code say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from isthmus.features import PROFILES

MAKER = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "make_features.py"))
PAGE = MAKER["PAGE"].read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    """Stale? Run `python docs/make_features.py`."""
    assert MAKER["page"]() == PAGE


def test_every_cell_is_a_cell() -> None:
    """No bar in a formula ends a table's cell: every row of a table has as many as its head."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in rows} == {4, 8, 3}


@pytest.mark.parametrize(("profile", "start"), [("ibsi", "`{0.family}`"), ("pyradiomics", "`{0.family}_{0.feature}`")])
def test_every_column_of_a_profile_is_there(profile: str, start: str) -> None:
    """The family and, in PyRadiomics' spelling, the feature behind each default column; for IBSI its code."""
    module = PROFILES[profile]
    facts = module.columns(module.Settings())
    assert not [meta.column for meta in facts if start.format(meta) not in PAGE or f"| {meta.ibsi_code} |" not in PAGE]
