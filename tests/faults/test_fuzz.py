"""A damaged file of any format is read or refused in one line: never a crash, a hang, another error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from faults.fuzzing import FORMATS

TESTS = Path(__file__).resolve().parents[1]
QUICK, WHOLE = 40, 1000


def outcomes(names: str, count: int, folder: Path) -> tuple[dict[str, dict[str, object]], str]:
    """In a process of its own: a crash of a library is a result, not the end of the tests. What was found a format, and what was printed
    beside it."""
    command = [sys.executable, str(TESTS / "faults" / "fuzzing.py"), names, str(count), "1", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    found = [json.loads(line) for line in done.stdout.splitlines()]
    last = f"after {found[-1]['format'] if found else 'nothing'}"
    assert done.returncode == 0, f"the process ended with {done.returncode} {last}: {done.stderr[-2000:]}"
    return {str(one["format"]): one for one in found}, done.stderr


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{TESTS}:{os.environ.get('PYTHONPATH', '')}"}


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Some dozens of damaged files of every format, all in one process."""
    return outcomes("all", QUICK, tmp_path_factory.mktemp("fuzz"))[0]


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(quick: dict[str, dict[str, object]], name: str) -> None:
    """Each is read or refused in one line."""
    assert quick[name]["faults"] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_thousand_damaged_files(name: str, tmp_path: Path) -> None:
    """The same of a thousand; libraries print nothing beside it."""
    found, printed = outcomes(name, WHOLE, tmp_path)
    assert found[name]["faults"] == []
    assert printed == "" or not FORMATS[name].quiet
