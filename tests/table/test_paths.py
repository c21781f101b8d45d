"""Paths of a plan: relative to it, and one variable only."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.errors import PlanError
from isthmus.table.paths import data_root, resolve_path


def test_relative_paths_start_at_the_plan(tmp_path: Path) -> None:
    """A relative path starts at the plan's folder."""
    assert resolve_path("../x/t.csv", tmp_path / "study") == tmp_path / "x" / "t.csv"


@pytest.mark.parametrize("text", ["$ISTHMUS_DATA/t.csv", "${ISTHMUS_DATA}/t.csv"])
def test_the_variable_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """`$ISTHMUS_DATA` stands for the environment variable."""
    monkeypatch.setenv("ISTHMUS_DATA", str(tmp_path))
    assert resolve_path(text, Path("/elsewhere")) == tmp_path / "t.csv"


def test_unset_it_lies_beside_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, `../shared/data` beside the checkout that holds the plan is taken."""
    monkeypatch.delenv("ISTHMUS_DATA", raising=False)
    (tmp_path / "shared" / "data").mkdir(parents=True)
    assert data_root(tmp_path / "checkout" / "examples" / "sts") == tmp_path / "shared" / "data"


def test_another_variable_is_refused(tmp_path: Path) -> None:
    """Any other variable is refused by name."""
    with pytest.raises(PlanError, match=r"\$HOME is not known; \$ISTHMUS_DATA is the only variable"):
        resolve_path("$HOME/t.csv", tmp_path)


def test_a_variable_that_leads_nowhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that names no folder is refused rather than passed over."""
    monkeypatch.setenv("ISTHMUS_DATA", str(tmp_path / "none"))
    with pytest.raises(PlanError, match="which is not a folder"):
        data_root(tmp_path)
