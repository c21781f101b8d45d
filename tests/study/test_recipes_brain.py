"""The demos of meningioma-3d, alzheimer and parkinson from images to report: what was planted is found, beside the print."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.report import write_report
from isthmus.study.recipes import run_recipe_demo

FOUND = {
    "meningioma-3d": ("T1c radiomics, stacking", "external", "auc"),
    "alzheimer": ("Radiomics", "external", "macro_auc"),
    "parkinson": ("IF + RaF", "cv", "macro_auc"),
}
"""A model that reads what was planted, where it is judged, and by what."""


@pytest.mark.slow
@pytest.mark.parametrize("name", FOUND)
def test_the_demo_finds_what_was_planted(name: str, tmp_path: Path) -> None:
    """Radiomics reads the texture: its interval lies above chance; the report has the printed numbers beside this run's."""
    model, split, metric = FOUND[name]
    result = run_recipe_demo(name, tmp_path / "run", workers=1)
    table = result.metrics.set_index(["model", "split", "metric"])
    assert float(table.loc[(model, split, metric), "lower"]) > 0.5
    page = write_report(result).read_text(encoding="utf-8")
    assert "Beside the published study" in page
