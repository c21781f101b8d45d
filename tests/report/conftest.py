"""What the report's tests share: a full fake run on disk, and a small quiet result of which every number is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.study.result import Result
from report.fake_run import make_run
from report.quiet_result import quiet_result


@pytest.fixture(scope="session")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Three models, train, cross-validation and an external centre, with everything a run can leave behind."""
    return Result.load(make_run(tmp_path_factory.mktemp("full") / "run", values=True))


@pytest.fixture
def quiet(tmp_path: Path) -> Result:
    """A result so good that no rule has anything to say; tests spoil one thing at a time."""
    return quiet_result(tmp_path)
