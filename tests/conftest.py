"""What all tests share: where the reference data lie, and that nothing reaches for a display or the network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from isthmus.study.result import Result

os.environ.setdefault("MPLBACKEND", "Agg")

ROOT = Path(__file__).resolve().parents[1]


def data_folder() -> Path | None:
    """The reference data: `ISTHMUS_DATA`, or `../shared/data` beside the checkout."""
    named = os.environ.get("ISTHMUS_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference data; absent, the test is skipped with the reason (in CI it must be there)."""
    folder = data_folder()
    if folder is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs the reference data: ../shared/data beside the checkout, or ISTHMUS_DATA")
        pytest.skip("no reference data: neither ISTHMUS_DATA nor ../shared/data beside the checkout exists")
    return folder


def _other_outcome(task: str, folder: Path) -> Result:
    from isthmus.study.plan import Plan
    from isthmus.study.run import run_study
    from study.outcomes import document

    return run_study(Plan.parse(document(folder, task), base=folder), folder / "run", workers=1)


@pytest.fixture(scope="session")
def survival_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A finished study of a time to event: two Cox models, an external centre."""
    return _other_outcome("survival", tmp_path_factory.mktemp("survival"))


@pytest.fixture(scope="session")
def multiclass_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A finished study of three classes: two models, an external centre."""
    return _other_outcome("multiclass", tmp_path_factory.mktemp("multiclass"))


@pytest.fixture(scope="session")
def ordinal_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The same with ordered classes."""
    return _other_outcome("ordinal", tmp_path_factory.mktemp("ordinal"))
