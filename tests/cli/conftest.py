"""A small synthetic cohort, and the command line called in this process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.cli.app import app
from isthmus.cli.outcome import run_command
from isthmus.synthetic import make_cohort

QUICK = """
[[models]]
name = "combined"
blocks = ["clinical", "radiomics"]
estimator = "lasso"

[validate]
folds = 3
repeats = 1
inner_folds = 3
bootstrap = 200
external = { centre = ["B"] }

[audit]
permutations = 0
"""


@pytest.fixture(scope="session")
def good_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty patients of two centres, with a plan that takes seconds. Do not change it: take `cohort`."""
    folder = tmp_path_factory.mktemp("cohort")
    make_cohort(folder, patients=30, seed=3, workers=2)
    plan = folder / "plan.toml"
    text = plan.read_text()
    plan.write_text(text[: text.index("[[models]]")] + QUICK)
    return folder


@pytest.fixture
def cohort(good_cohort: Path, tmp_path: Path) -> Path:
    """A copy of the cohort that a test may spoil."""
    shutil.copytree(good_cohort, tmp_path / "cohort")
    return tmp_path / "cohort"


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Call `isthmus ARGS` and return its exit code."""

    def call(*args: object) -> int:
        monkeypatch.setattr(sys, "argv", ["isthmus", *map(str, args)])
        return run_command(app)

    return call


@pytest.fixture(scope="session")
def finished_run(good_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the good cohort. Do not change it."""
    from isthmus.report import write_report
    from isthmus.study import Plan
    from isthmus.study.run import run_study

    out = tmp_path_factory.mktemp("finished") / "run"
    result = run_study(Plan.read(good_cohort / "plan.toml"), out, workers=2)
    write_report(result)
    return out
