"""What scanners say, one row for each case and image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from isthmus.cohort import Cohort, CohortSettings, read_cohort
from isthmus.cohort.acquisition import acquisition_table
from isthmus.errors import ImageReadError


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    lines = ["patient,y,image:ct,mask:ct"]
    for i in range(3):
        (tmp_path / f"{i}.nii").write_bytes(b"")
        lines.append(f"P{i},{i % 2},{i}.nii,{i}.nii")
    (tmp_path / "cases.csv").write_text("\n".join(lines))
    return read_cohort(CohortSettings(table="cases.csv", outcome="y"), base=tmp_path)


def facts(path: str) -> dict[str, Any]:
    """An invented reader: the second image says less, the third cannot be read."""
    number = Path(path).stem
    if number == "2":
        raise ImageReadError("truncated")
    return {"zeta": 1, "kvp": 120.0, "vendor": "A"} if number == "0" else {"vendor": "B"}


def test_known_facts_come_first(cohort: Cohort) -> None:
    """Vendor, model, kVp and so on come first, other facts by name, the reason last."""
    assert list(acquisition_table(cohort, facts).columns) == [
        "patient",
        "row",
        "image",
        "vendor",
        "kvp",
        "zeta",
        "reason",
    ]


def test_what_an_image_does_not_say_is_missing(cohort: Cohort) -> None:
    """A fact that one image lacks is missing there and kept for the others."""
    values = acquisition_table(cohort, facts)["kvp"]
    assert [None if pd.isna(value) else value for value in values] == [120.0, None, None]


def test_an_unreadable_header_is_said(cohort: Cohort) -> None:
    """An image whose header cannot be read keeps its row, with the reason."""
    assert acquisition_table(cohort, facts)["reason"].iloc[2] == "truncated"
