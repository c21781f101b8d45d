"""docs/reference/steps.md lists every step as it is."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

from isthmus.study.evaluate import STEPS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "steps.md"
SET_BY_THE_STUDY = {"self", "random_state"}


def rows() -> dict[str, list[str]]:
    """Step -> the cells of its row."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 5 and cells[0].startswith("`"):
            found[cells[0].strip("`")] = cells
    return found


def settings(name: str) -> str:
    """The settings of a step as its row writes them."""
    written = []
    for key, parameter in inspect.signature(STEPS[name]).parameters.items():
        if key in SET_BY_THE_STUDY or parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            continue
        value = parameter.default
        if value is None or value is parameter.empty:
            written.append(f"`{key}`")
        else:
            toml = json.dumps(value)  # of these values TOML and JSON are the same
            written.append(f"`{key} = {toml}`")
    return ", ".join(written)


def test_every_step_has_one_row() -> None:
    """No step is missing, none is there that does not exist."""
    assert sorted(rows()) == sorted(STEPS)


@pytest.mark.parametrize("name", sorted(STEPS))
def test_kind_and_settings_are_those_of_the_code(name: str) -> None:
    """What a step learns from, its settings and their defaults."""
    cells = rows()[name]
    assert cells[1:3] == [STEPS[name].kind, settings(name)]
