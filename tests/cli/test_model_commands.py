"""`isthmus card`, and `isthmus apply` of a file that is not the one it should be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from isthmus.study import Model
from study.model_files import rows, small_model

Cli = Callable[..., int]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    small_model().save(tmp_path / "m.isthmus")
    return tmp_path / "m.isthmus"


def test_card_prints_the_card_and_the_fingerprint(model: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """The card, and the SHA-256 that `sha256sum` gives."""
    assert cli("card", model) == 0
    said = capsys.readouterr().out
    assert said.startswith("# card")
    assert Model.load(model).fingerprint in said


def test_a_card_cannot_command_the_terminal(tmp_path: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in a forged card are shown as question marks."""
    dataclasses.replace(small_model(), card="\x1b]0;pwned\x07 hello").save(tmp_path / "m.isthmus")
    assert cli("card", tmp_path / "m.isthmus") == 0
    assert "?]0;pwned? hello" in capsys.readouterr().out


def test_apply_refuses_another_file(model: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the published SHA-256 the right file is applied, another refused with exit code 2, and nothing is written."""
    rows()[0].reset_index().to_csv(tmp_path / "cases.csv", index=False)
    arguments = ("apply", model, "--cases", tmp_path / "cases.csv", "--out", tmp_path / "p.csv")
    assert cli(*arguments, "--sha256", "0" * 64) == 2
    assert "another file than the one you were told of" in capsys.readouterr().err
    assert not (tmp_path / "p.csv").exists()
    assert cli(*arguments, "--sha256", Model.load(model).fingerprint) == 0
