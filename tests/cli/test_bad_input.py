"""What goes wrong in hospitals, one test each: the message names the case, what came, what was expected; the other cases go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from isthmus.synthetic import spoil

Cli = Callable[..., int]

CASES = {
    "missing-file": r"no such file",
    "truncated-image": r"truncated|ends|short|cut|damaged",
    "mask-on-other-grid": r"different grids.*must match",
    "empty-mask": r"empty|no voxel",
    "one-voxel-mask": r"single voxel|1 voxel",
    "nan-voxels": r"NaN",
}

WHOLE = {
    "unknown-plan-key": r"\[validate\] unknown key 'fold'. Did you mean 'folds'",
    "duplicate-patient": r"duplicate patients: patient P0001",
    "one-class-outcome": r"outcome.*0: 30|only|one class",
    "third-outcome-value": r"task = \"multiclass\"|positive",
    "text-in-numeric-column": r"age_years.*P0001",
    "unreadable-encoding": r"cases\.csv.*(encoding|UTF-8)",
}


def test_all_the_ways_are_here() -> None:
    """Each way to spoil a cohort has a test."""
    from isthmus.synthetic import SPOILS

    assert set(SPOILS) == set(CASES) | set(WHOLE)


@pytest.mark.parametrize("kind", CASES)
def test_one_bad_case_never_stops_the_others(kind: str, cohort: Path, cli: Cli, tmp_path: Path) -> None:
    """The case is excluded with its reason, the others are finished, the exit code is 1."""
    patient = spoil(cohort, kind, row=4)
    assert cli("run", cohort / "plan.toml", "--out", tmp_path / "run", "--workers", 1) == 1
    cases = pd.read_csv(tmp_path / "run" / "cases.csv").set_index("patient")
    assert list(cases.index[cases["status"] == "excluded"]) == [patient]
    assert re.search(CASES[kind], cases.loc[patient, "reason"], re.IGNORECASE), cases.loc[patient, "reason"]


@pytest.mark.parametrize("kind", CASES)
def test_check_names_the_bad_case(kind: str, cohort: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` finds the same problem before anything runs; exit code 1."""
    patient = spoil(cohort, kind, row=4)
    assert cli("check", cohort / "plan.toml", "--workers", 1) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("CASE")]
    assert len(lines) == 1
    assert patient in lines[0]


@pytest.mark.parametrize("kind", WHOLE)
def test_a_wrong_plan_or_table_stops_before_anything_runs(
    kind: str, cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one message that says what to do, from `run` and from `check`."""
    spoil(cohort, kind)
    assert cli("run", cohort / "plan.toml", "--out", tmp_path / "run") == 2
    assert re.search(WHOLE[kind], " ".join(capsys.readouterr().err.split()))
    assert cli("check", cohort / "plan.toml") == 2
    assert re.search(WHOLE[kind], " ".join(capsys.readouterr().out.split()))


def test_every_case_failed(cohort: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When no case is left the run stops with exit code 2 and the commonest reason."""
    for mask in (cohort / "masks").iterdir():
        mask.write_bytes(b"")
    assert cli("run", cohort / "plan.toml", "--out", tmp_path / "run") == 2
    assert "every case is excluded" in capsys.readouterr().err
