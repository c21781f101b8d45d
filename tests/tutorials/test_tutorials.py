"""The tutorials do what they say: their blocks run one after the other, as a reader would type them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).resolve().parents[2] / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"```(bash|python|toml)\n(.*?)```", re.DOTALL)
WRITTEN = re.compile(r"`([\w/.-]+\.toml)`:?\s*$")  # the words before a plan end with its file's name
SHORT_WAY = "isthmus demo"  # of the first tutorial: the same study in one command; `make demo` runs it


@pytest.mark.tutorial
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_block_runs(page: Path, tmp_path: Path) -> None:
    """Commands end with 0, plans are written where the text says, and the report is there in the end."""
    text = page.read_text(encoding="utf-8")
    (tmp_path / "isthmus").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m isthmus "$@"\n', encoding="utf-8")
    (tmp_path / "isthmus").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "MPLBACKEND": "Agg"}
    for block in BLOCK.finditer(text):
        kind, lines = block.groups()
        if kind == "toml":
            named = WRITTEN.search(text[: block.start()])
            assert named, f"{page.name}: a plan without the name of its file before it"
            (tmp_path / named[1]).write_text(lines, encoding="utf-8")
            continue
        if SHORT_WAY in lines:
            continue
        command = ["bash", "-euo", "pipefail", "-c", lines] if kind == "bash" else [sys.executable, "-c", lines]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{page.name}\n{lines}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    assert list(tmp_path.glob("*/report.html"))
