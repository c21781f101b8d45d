"""docs/reference/recipes.md is what the plans of the recipes say."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.study.recipes import STUDIES
from isthmus.study.recipes.overview import overview, row_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "recipes.md"


@pytest.fixture(scope="module")
def page() -> list[str]:
    return PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", STUDIES)
def test_every_recipe_has_its_row(name: str, page: list[str]) -> None:
    """Blocks, steps and models; `python -m isthmus.study.recipes.overview > docs/reference/recipes.md` after a change of a plan."""
    assert row_of(name) in page


def test_the_page_has_nothing_else(page: list[str]) -> None:
    """No row of a recipe that is gone."""
    assert page == overview().splitlines()
