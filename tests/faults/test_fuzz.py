"""A damaged file of any format is read or refused in one line: never a crash, a hang, another error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from faults.fuzzing import FORMATS

TESTS = Path(__file__).resolve().parents[1]
QUICK, WHOLE = 40, 1000


def outcome(name: str, count: int, folder: Path) -> dict[str, object]:
    """In a process of its own: a crash of a library is a result, not the end of the tests."""
    command = [sys.executable, str(TESTS / "faults" / "fuzzing.py"), name, str(count), "1", str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    assert done.returncode == 0, f"the process ended with {done.returncode}: {done.stderr[-2000:]}"
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": f"{TESTS}:{os.environ.get('PYTHONPATH', '')}"}


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    """Some dozens of damaged files a format."""
    found = outcome(name, QUICK, tmp_path)
    assert found["faults"] == []
    assert found["refused"] + found["accepted"] == QUICK


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_thousand_damaged_files(name: str, tmp_path: Path) -> None:
    """A thousand a format."""
    assert outcome(name, WHOLE, tmp_path)["faults"] == []
