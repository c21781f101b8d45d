"""What the report's tests share: a full fake run on disk, and a small quiet result of which every number is known."""

from __future__ import annotations

from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def plain_fonts() -> Iterator[None]:
    """Fonts in a pdf as drawings: cutting a TrueType font to its letters is what a figure takes longest over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_canvas.RC, "pdf.fonttype", 3)
        yield


@pytest.fixture(scope="module")
def small_pictures(plain_fonts: None) -> Iterator[None]:
    """Coarse pictures, where a test does not look at them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_save, "DPI", 30)
        yield


@pytest.fixture(scope="module")
def only_the_page() -> Iterator[None]:
    """Figures as the page shows them, where a test looks at the page alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_save, "PRINTED", {})
        yield


@pytest.fixture
def quiet(tmp_path: Path) -> Result:
    """A result so good that no rule has anything to say; tests spoil one thing at a time."""
    return quiet_result(tmp_path)
