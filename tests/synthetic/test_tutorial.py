"""docs: the tutorial and the how-to page on synthetic cohorts say what is so."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from isthmus.synthetic import attainable_auc
from isthmus.synthetic.truth import WEIGHTS

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUTORIAL, HOW_TO = DOCS / "tutorials" / "first-study.md", DOCS / "how-to" / "synthetic-cohort.md"


def snippets(page: Path) -> list[tuple[str, str]]:
    """(language, code) of every block of code to run, in order."""
    return re.findall(r"^```(bash|python)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def commands() -> list[list[str]]:
    lines = [line for language, code in snippets(TUTORIAL) if language == "bash" for line in code.splitlines()]
    return [shlex.split(line.split("||")[0]) for line in lines if line.startswith("isthmus ")]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_of_the_tutorial_exist(command: list[str]) -> None:
    """The command line accepts every command of the tutorial with its options."""
    from typer.main import get_command

    from isthmus.cli.app import app

    group = get_command(app)
    with group.make_context("isthmus", command[1:]) as context:
        name, subcommand, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        with subcommand.make_context(name, list(rest), parent=context) as inner:
            assert not inner.args


@pytest.mark.slow
@pytest.mark.parametrize("page", [TUTORIAL, HOW_TO], ids=lambda page: page.stem)
def test_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    """Every snippet of the page works, in the order a reader would try them."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    for language, code in snippets(page):
        run = [sys.executable, "-c", code] if language == "python" else ["bash", "-ec", code]
        environment = {**os.environ, "PATH": path}
        done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


def test_how_to_states_the_weights() -> None:
    """The table of weights is the code's."""
    table = dict(re.findall(r"^\| ([a-z]+) \| (0\.\d\d) \|", HOW_TO.read_text(encoding="utf-8"), flags=re.M))
    assert {part: float(weight) for part, weight in table.items()} == dict(WEIGHTS)


def test_how_to_states_the_attainable_auc() -> None:
    """The table of signals is the code's, to two digits."""
    table = re.findall(r"^\| ([\d.]+) \| (0\.\d\d) \|", HOW_TO.read_text(encoding="utf-8"), flags=re.M)
    assert [float(value) for _, value in table] == [round(attainable_auc(float(signal)), 2) for signal, _ in table]
