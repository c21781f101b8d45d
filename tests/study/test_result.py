"""Run folders of earlier versions can still be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd

from isthmus.study.result import Result


def test_columns_that_an_earlier_version_did_not_write(tmp_path: Path, survival_run: Result) -> None:
    """comparisons.csv without limits, selected.csv without importance: they are there, and missing."""
    folder = tmp_path / "run"
    shutil.copytree(survival_run.folder, folder)
    for name, gone in (("comparisons.csv", ["lower", "upper", "difference"]), ("selected.csv", ["importance"])):
        pd.read_csv(folder / name).drop(columns=gone).to_csv(folder / name, index=False)
    result = Result.load(folder)
    assert result.comparisons[["lower", "upper", "difference"]].isna().all().all()
    assert result.selected["importance"].isna().all()


def test_a_table_that_is_not_there_has_its_columns(tmp_path: Path, survival_run: Result) -> None:
    """Without comparisons.csv there are no comparisons, rather than no column to ask for."""
    folder = tmp_path / "run"
    shutil.copytree(survival_run.folder, folder)
    (folder / "comparisons.csv").unlink()
    assert Result.load(folder).comparisons["p_adjusted"].empty
