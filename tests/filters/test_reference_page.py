"""docs/reference/filters.md says what can be set."""

import re
from pathlib import Path

import pytest

from isthmus.filters import FILTERS

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "filters.md").read_text(encoding="utf-8")
SHARED = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1]
SECTIONS = {part.split("\n", 1)[0].strip(): part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[2:]}


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_and_setting_is_documented(name: str) -> None:
    """A row in the table, a section, and in it (or in what the IBSI filters share) each setting."""
    assert f"[`{name}`](#{name})" in PAGE
    text = SECTIONS[name] + SHARED
    fields = FILTERS[name].Settings.model_fields
    missing = [field for field in fields if field != "name" and f"`{field}" not in text]
    assert not missing
