"""`isthmus pathology`: the files it writes, several slides of a patient, failures, resuming."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from isthmus.cli.app import app
from isthmus.errors import ImageReadError, PlanError, TableError
from isthmus.pathology import NUCLEAR_FEATURES
from isthmus.study.pathology import nuclei_to_folder, pathology_settings, slides_given
from isthmus.synthetic.slides import SlidePlan, write_slide

pytest.importorskip("openslide")

QUICK = ["--set", "tile=300", "--set", "samples=2", "--set", "sample=200", "--set", "tissue.least_piece_um2=2000"]
SET = QUICK[1::2]


def run(*arguments: object) -> int:
    return CliRunner().invoke(app, ["pathology", *(str(a) for a in arguments)], catch_exceptions=False).exit_code


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    for name, seed in (("a1", 1), ("a2", 2)):
        write_slide(folder / f"{name}.tif", SlidePlan(rows=420, columns=420, seed=seed))
    (folder / "broken.svs").write_bytes(b"no slide")
    (folder / "slides.csv").write_text("patient,slide\nA,a1.tif\nA,a2.tif\nB,broken.svs\n")
    return folder


@pytest.fixture(scope="module")
def batch(slides: Path) -> tuple[Path, int]:
    out = slides / "out"
    return out, run("nuclei", "--slides", slides / "slides.csv", "--out", out, "--workers", 1, *QUICK)


def test_a_broken_slide_is_listed_and_the_others_are_done(batch: tuple[Path, int]) -> None:
    failed = pd.read_csv(batch[0] / "failed.csv")
    assert batch[1] == 1
    assert failed["slide"].tolist() == ["broken"]
    assert "neither a slide" in failed["reason"][0]


def test_two_slides_of_a_patient_are_one_row(batch: tuple[Path, int]) -> None:
    slide, patient = pd.read_csv(batch[0] / "summary.csv"), pd.read_csv(batch[0] / "patients.csv")
    assert slide["slide"].tolist() == ["a1", "a2"]
    assert patient["slides"].tolist() == [2]
    assert patient["all_count"][0] == slide["all_count"].sum()


def test_a_nucleus_has_place_class_and_28_features(batch: tuple[Path, int]) -> None:
    nuclei = pd.read_parquet(batch[0] / "a1" / "nuclei.parquet")
    assert list(nuclei.columns) == [
        "slide",
        "nucleus",
        "x_um",
        "y_um",
        "x_px",
        "y_px",
        "class",
        "probability",
        *NUCLEAR_FEATURES,
    ]
    assert nuclei[list(NUCLEAR_FEATURES)].notna().all().all()


def test_there_are_pictures(batch: tuple[Path, int]) -> None:
    """With lines around nuclei, and the tissue's border."""
    for name, colour in (("field.png", (240, 228, 66)), ("overlay.png", (0, 158, 115))):
        assert (np.asarray(Image.open(batch[0] / "a1" / name)) == colour).all(axis=-1).sum() > 20


def test_summaries_again_are_the_same(batch: tuple[Path, int], slides: Path, tmp_path: Path) -> None:
    run("features", "--slide", slides / "a1.tif", "--nuclei", batch[0] / "a1", "--out", tmp_path, *QUICK)
    again, before = pd.read_csv(tmp_path / "summary.csv"), pd.read_csv(batch[0] / "a1" / "summary.csv")
    pd.testing.assert_frame_equal(again.drop(columns="patient"), before.drop(columns="patient"))


def test_tiles_are_listed(slides: Path, tmp_path: Path) -> None:
    assert run("tiles", "--slide", slides / "a1.tif", "--out", tmp_path, *QUICK) == 0
    assert len(pd.read_csv(tmp_path / "tiles.csv")) == 4


def test_a_run_goes_on_where_it_stopped(slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted in the third tile; resumed, only the two missing tiles are done, and the result is that of one go."""
    from isthmus.study import pathology as module

    settings, rows = pathology_settings(None, SET), slides_given(slides / "a1.tif", None)
    work, calls = module.nuclei_of_tile, []

    def stops(slide: object, tissue: object, tile: object, *rest: object) -> pd.DataFrame:
        calls.append(tile)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return work(slide, tissue, tile, *rest)

    monkeypatch.setattr(module, "nuclei_of_tile", stops)
    with pytest.raises(KeyboardInterrupt):
        nuclei_to_folder(tmp_path / "one", rows, settings, workers=1)
    nuclei_to_folder(tmp_path / "one", rows, settings, workers=1, resume=True)
    assert len(calls) == 5
    nuclei_to_folder(tmp_path / "two", rows, settings, workers=1)
    one, two = (pd.read_parquet(tmp_path / name / "nuclei.parquet") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two)


def test_failed_tiles_are_listed_and_bounded(slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of four tiles cannot be read: more than 1 %, so the slide fails; with half allowed it does not."""
    from isthmus.study import pathology as module

    work = module.nuclei_of_tile

    def fails(slide: object, tissue: object, tile: module.Tile, *rest: object) -> pd.DataFrame:
        if tile.number == 2:
            raise ImageReadError("damaged")
        return work(slide, tissue, tile, *rest)

    monkeypatch.setattr(module, "nuclei_of_tile", fails)
    rows = slides_given(slides / "a1.tif", None)
    with pytest.raises(ImageReadError.__mro__[1], match="1 of 4 tiles failed"):
        nuclei_to_folder(tmp_path, rows, pathology_settings(None, SET), workers=1)
    nuclei_to_folder(tmp_path, rows, pathology_settings(None, [*SET, "most_failed=0.5"]), workers=1)
    state = pd.read_csv(tmp_path / "tiles.csv")
    assert state["state"].tolist() == ["done", "done", "failed", "done"]
    assert state["reason"][2] == "damaged"


def test_one_of_slide_and_slides_is_needed(slides: Path) -> None:
    with pytest.raises(PlanError, match="--slide"):
        slides_given(None, None)


def test_a_wrong_column_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("patient,slide,mp\nA,a.tif,0.5\n")
    with pytest.raises(TableError, match="Did you mean 'mpp'"):
        slides_given(None, tmp_path / "t.csv")


def test_a_wrong_setting_is_told() -> None:
    with pytest.raises(PlanError, match="openng"):
        pathology_settings(None, ["nuclei.openng=1"])
