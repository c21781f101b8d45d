"""The self-test of an installation."""

from __future__ import annotations

import ast
import re
import sys
import time
import tomllib
from pathlib import Path

import pytest

import isthmus
from isthmus.study.doctor import agrees, examine, self_test


def test_the_engine_meets_the_consensus() -> None:
    """All 482 consensus values of the digital phantom by IBSI's profile, and 98 by PyRadiomics', at their printed precision."""
    found = self_test()
    assert (found["passed"], found["values"]) == (580, 580), found


def test_the_self_test_takes_under_five_seconds() -> None:
    """It is run by people who wait for it."""
    start = time.process_time()
    self_test()
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("value", "printed", "tolerance", "same"),
    [
        (1494.6, "1490", 0.0, True),  # three digits are shown
        (1496.0, "1490", 0.0, False),
        (2.149, "2.15", 0.0, True),
        (2.144, "2.15", 0.0, False),
        (559.0, "556", 4.0, True),
        (0.0004, "0", 0.0, True),
    ],
)
def test_agreement_is_at_the_printed_precision(value: float, printed: str, tolerance: float, same: bool) -> None:
    """A value agrees when it rounds to what is printed, or lies within the published tolerance."""
    assert agrees(value, printed, tolerance) is same


def test_everything_is_examined() -> None:
    """Versions, machine, optional parts and the self-test."""
    assert set(examine()) == {"versions", "machine", "optional", "self-test"}


def test_every_optional_part_is_told() -> None:
    """What the package imports is installed with it, or doctor says that it is missing and what it is for."""
    source = Path(isthmus.__file__).parent
    imported = set()
    for module in source.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    installed = {re.split(r"[><=]", one)[0].lower() for one in project["dependencies"]}
    installed |= {
        "isthmus",
        "sklearn",
        "skmisc",
        "yaml",
        "pil",
        "markupsafe",
        "fonttools",  # with matplotlib
    }  # packages whose modules have other names
    unknown = {name for name in imported if name.lower() not in installed and name not in sys.stdlib_module_names}
    assert unknown <= set(examine()["optional"])
