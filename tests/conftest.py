"""What all tests share: where the reference data lie, and that nothing reaches for a display or the network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
