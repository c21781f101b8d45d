"""`isthmus pathology` on slides that a user may give it: what is done already, what contradicts itself, what is of another slide."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import ImageReadError
from isthmus.pathology import PathologySettings
from isthmus.study import pathology
from isthmus.study.pathology import SlideRow, nuclei_to_folder, opened
from isthmus.synthetic.slides import SlidePlan, write_slide

pytest.importorskip("openslide")

SETTINGS = PathologySettings.model_validate({"samples": 2, "sample": 128, "tissue": {"least_piece_um2": 500}})


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> list[SlideRow]:
    folder = tmp_path_factory.mktemp("slides")
    for name in ("one", "two"):
        write_slide(folder / f"{name}.tif", SlidePlan(rows=192, columns=192, margin_um=6, spacing_um=14))
    return [SlideRow("P1", folder / f"{name}.tif") for name in ("one", "two")]


def test_resuming_measures_only_the_slides_that_are_not_done(
    slides: list[SlideRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two slides one is finished: only the other one's tiles are read, and the tables are as of a run in one go."""
    nuclei_to_folder(tmp_path, slides, SETTINGS, workers=1)
    before = [(tmp_path / name).read_bytes() for name in ("summary.csv", "patients.csv")]
    (tmp_path / "two" / "facts.json").unlink()
    done: list[str] = []
    real = pathology._segment
    monkeypatch.setattr(pathology, "_segment", lambda row, *rest: done.append(row.name) or real(row, *rest))
    nuclei_to_folder(tmp_path, slides, SETTINGS, workers=1, resume=True)
    assert done == ["two"]
    assert [(tmp_path / name).read_bytes() for name in ("summary.csv", "patients.csv")] == before


def test_other_settings_are_not_done_already(slides: list[SlideRow], tmp_path: Path) -> None:
    nuclei_to_folder(tmp_path, slides[:1], SETTINGS, workers=1)
    nuclei_to_folder(tmp_path, slides[:1], SETTINGS.model_copy(update={"stains": "macenko"}), workers=1, resume=True)
    assert json.loads((tmp_path / "facts.json").read_text())["settings"]["stains"] == "macenko"


def test_given_micrometres_that_contradict_the_slide_are_told(
    slides: list[SlideRow], caplog: pytest.LogCaptureFixture
) -> None:
    opened(replace(slides[0], mpp=1.0), SETTINGS)
    assert "says 0.5 um a pixel, but 1 are given" in caplog.text


def test_much_that_is_left_out_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A third of the tissue under dark ink."""
    from PIL import Image

    rgb = np.full((800, 800, 3), 242, dtype=np.uint8)
    rgb[80:720, 80:720] = (200, 120, 170)
    rgb[80:300, 80:720] = (57, 27, 44)
    Image.fromarray(rgb).save(tmp_path / "inked.png")
    opened(SlideRow("P1", tmp_path / "inked.png", 1.0), SETTINGS)
    assert "of its tissue are left out as folds, bubbles or ink" in caplog.text


def test_outlines_of_another_slide_are_refused(slides: list[SlideRow], tmp_path: Path) -> None:
    ring = [[50000, 50000], [51000, 50000], [51000, 51000], [50000, 50000]]
    path = tmp_path / "far.geojson"
    path.write_text(json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}))
    with pytest.raises(ImageReadError, match="of this slide, in pixels of level 0"):
        opened(replace(slides[0], annotation=path), SETTINGS)


def test_the_share_of_artefacts_stands_in_both_tables(slides: list[SlideRow], tmp_path: Path) -> None:
    nuclei_to_folder(tmp_path, slides, SETTINGS, workers=1)
    shares = [pd.read_csv(tmp_path / name)["artefact_share"].tolist() for name in ("summary.csv", "patients.csv")]
    assert shares == [[0.0, 0.0], [0.0]]
