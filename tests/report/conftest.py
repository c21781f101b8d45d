"""What the report's tests share: a full fake run on disk, and a small quiet result of which every number is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.report.figures import _canvas, _save
from isthmus.study.result import Result
from report.fake_run import make_run
from report.quiet_result import quiet_result


@pytest.fixture(scope="session")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Three models, train, cross-validation and an external centre, with everything a run can leave behind."""
    return Result.load(make_run(tmp_path_factory.mktemp("full") / "run", values=True))


@pytest.fixture
def plain_fonts(printed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files of a figure, fonts in the pdf as drawings: cutting a TrueType font to its letters takes long."""
    monkeypatch.setitem(_canvas.RC, "pdf.fonttype", 3)


@pytest.fixture
def small_pictures(plain_fonts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files of a figure, coarse, where a test does not look at them."""
    monkeypatch.setattr(_save, "DPI", 30)


@pytest.fixture
def quiet(tmp_path: Path) -> Result:
    """A result so good that no rule has anything to say; tests spoil one thing at a time."""
    return quiet_result(tmp_path)
