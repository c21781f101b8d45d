"""docs/reference/counted-profiles.md says what the profiles hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.features.profiles import PROFILES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "counted-profiles.md").read_text(encoding="utf-8")
COUNTED = ("aview131", "sera215", "lvlnm1357", "pyr1561", "pyr1409", "pyr1106")


def test_every_column_of_aview_has_a_row() -> None:
    """Name, IBSI code and unit, under its category, in the order of the columns."""
    section = PAGE.split("\n## `aview131`")[1].split("\n## ")[0]
    tables = {part.split("`")[1]: part for part in section.split("\n### ")[1:]}
    columns = PROFILES["aview131"].columns(PROFILES["aview131"].Settings())
    cells = [
        (family, [cell.strip(" `") for cell in row.split("|")])
        for family, part in tables.items()
        for row in part.split("\n")
        if row.startswith("| `")
    ]
    rows = [(family, column, code, unit) for family, (_, column, code, _, unit, _, _) in cells]
    assert rows == [(meta.family, meta.column.removeprefix("original_"), meta.ibsi_code, meta.unit) for meta in columns]


@pytest.mark.parametrize("name", COUNTED)
def test_every_map_is_named(name: str) -> None:
    """The labels of all response maps stand on the page."""
    labels = {meta.filter for meta in PROFILES[name].columns(PROFILES[name].Settings())}
    assert not [label for label in labels if f"`{label}`" not in PAGE]


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_fixed_is_said(name: str) -> None:
    """Each key that these profiles lack and their base has is named."""
    base = PROFILES["ibsi" if name == "sera215" else "pyradiomics"].Settings.model_fields
    fixed = base.keys() - PROFILES[name].Settings.model_fields.keys()
    assert fixed
    assert not [key for key in fixed if f"`{key}`" not in PAGE]
