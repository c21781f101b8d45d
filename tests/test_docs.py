"""The documentation tells the truth: links lead somewhere, plans are plans, nothing names a machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from isthmus.study import Plan

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
    ]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file or folder of the project."""
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_plans_in_the_docs_are_plans(page: Path) -> None:
    """A TOML block that has [cohort] or [table] with an outcome is accepted as it stands."""
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for block in blocks:
        document = tomllib.loads(block)
        source = document.get("cohort") or document.get("table") or {}
        if "outcome" in source and ("table" in source or "path" in source):
            has_predictors = "features" in document or "clinical" in document or "table" in document
            extra = {} if has_predictors else {"features": [{"name": "a", "image": "a"}]}
            assert Plan.parse(document | extra).models


def test_every_page_is_in_the_index() -> None:
    """docs/README.md leads to every tutorial, how-to, reference and explanation."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    kinds = ("tutorials", "how-to", "reference", "explanation")
    pages = [page for kind in kinds for page in (ROOT / "docs" / kind).glob("*.md")]
    assert not [page.name for page in pages if f"{page.parent.name}/{page.name}" not in index]
