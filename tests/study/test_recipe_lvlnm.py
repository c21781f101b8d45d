"""The recipe lvlnm on its synthetic cohort, images to report."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.report import write_report
from isthmus.study.recipes import run_recipe_demo


@pytest.mark.slow
def test_the_demo_finds_what_was_planted(tmp_path: Path):
    """The whole small cohort: the fusion's AUC lies above one half, out of fold and outside, and maps stand side by side."""
    run = run_recipe_demo("lvlnm", tmp_path / "run")
    area = run.metrics[run.metrics["metric"] == "auc"].set_index(["model", "split"])["estimate"]
    assert [area["Thy-DL-Radiomics", split] > 0.55 for split in ("cv", "internal", "external")] == [True] * 3
    page = write_report(run).read_text(encoding="utf-8")
    assert "Where the network looks, and the sub-regions" in page
    assert "Repeated random splits" in page
