"""What the quality checks found, as the page prints it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from PIL import Image

from isthmus.report import pictures
from isthmus.report.tables import quality
from isthmus.study.result import Result


def test_checks_that_failed_come_first(full_run: Result) -> None:
    """Nine of 80 images break the limit of slices; one could not be judged by a check that has no limit."""
    view = quality.view(full_run)
    assert view is not None
    columns = ["Check", "Must be", "Failed", "Passed", "Could not be judged"]
    assert view.frame[columns].to_numpy().tolist() == [
        ["slice spacing", "<= 5", "9 of 80 (11 %)", "71", "0"],
        ["volume", ">= 50", "0 of 80 (0 %)", "80", "0"],
        ["anisotropy", "reported only", "–", "–", "1"],
    ]


def test_every_failure_is_listed(full_run: Result) -> None:
    """The images that failed are named with value and limit."""
    view = quality.failed_view(full_run)
    assert view is not None
    assert view.frame.iloc[[0, -1]].to_numpy().tolist() == [
        ["THY-0000", "ct", "slice spacing", "6.5 mm", "<= 5"],
        ["THY-0008", "ct", "slice spacing", "6.42 mm", "<= 5"],
    ]


def test_runs_without_images_have_no_table(full_run: Result) -> None:
    """Nothing is claimed where nothing was judged."""
    bare = replace(full_run, quality=pd.DataFrame())
    assert (quality.view(bare), quality.failed_view(bare)) == (None, None)


def test_pictures_are_small_and_even(full_run: Result, tmp_path: Path) -> None:
    """Of twelve large pictures every second one stands in the page, no wider than a column, as data."""
    (tmp_path / "preparation").mkdir()
    for number in range(12):
        Image.new("RGB", (1600, 800), "grey").save(tmp_path / "preparation" / f"P{number:02d}_ct.png")
    found = pictures.prepared(replace(full_run, folder=tmp_path))
    assert found is not None
    assert ([(name, *size) for name, _, *size in found.shown], {source[:23] for _, source, *_ in found.shown}) == (
        [(f"P{number:02d}_ct", 720, 360) for number in (0, 2, 4, 6, 8, 10)],
        {"data:image/jpeg;base64,"},
    )
