"""How image and mask are read, set by a plan or by `isthmus extract`, and what a case says of it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from isthmus.errors import CaseError, PlanError
from isthmus.image import Geometry, Image
from isthmus.image.io import LabelImage, write_image, write_labels
from isthmus.study import store
from isthmus.study.extract import extract_to_file
from isthmus.study.plan import Plan

LESION = np.zeros((40, 50), dtype=bool)
LESION[10:30, 12:40] = True


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, Path]:
    """An ultrasound picture and its mask."""
    grey = np.random.default_rng(1).integers(0, 200, LESION.shape).astype(np.uint8)
    Pillow.fromarray(grey).save(tmp_path / "us.png")
    Pillow.fromarray(np.where(LESION, 255, 0).astype(np.uint8)).save(tmp_path / "us_mask.png")
    return tmp_path / "us.png", tmp_path / "us_mask.png"


def features(files: tuple[Path, Path], *settings: str) -> pd.Series:
    """The features of one case through `isthmus extract`."""
    out = files[0].parent / "features.csv"
    extract_to_file(out, image=files[0], mask=files[1], settings=settings, workers=1)
    return pd.read_csv(out).iloc[0]


def test_pixel_spacing(pictures: tuple[Path, Path]) -> None:
    """A spacing scales lengths: the diameter in the picture is ten times smaller at 0.1 mm."""
    name = "original_shape_Maximum2DDiameterSlice"
    in_pixels, in_mm = features(pictures)[name], features(pictures, "pixel_spacing_mm=0.1")[name]
    assert in_mm == pytest.approx(in_pixels / 10, rel=1e-12)


def test_unknown_size_is_a_note_of_the_case(pictures: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> None:
    """Where the size is unknown, each case says that its lengths are in pixels."""
    with caplog.at_level(logging.WARNING, "isthmus"):
        features(pictures)
    assert "lengths, areas and volumes of this case are in pixels (px)" in caplog.text


def test_bad_spacing(pictures: tuple[Path, Path]) -> None:
    """A spacing that is none is refused before anything is read."""
    with pytest.raises(PlanError, match="pixel_spacing_mm"):
        features(pictures, "pixel_spacing_mm=-1")


@pytest.fixture
def shifted(tmp_path: Path) -> tuple[Path, Path]:
    """A volume, and a mask on a grid that begins two slices later."""
    values = np.random.default_rng(1).normal(100, 40, (8, 9, 10)).astype(np.float32)
    mask = np.zeros((8, 9, 10), np.uint8)
    mask[1:5, 2:7, 2:8] = 1
    write_image(Image(values, Geometry(values.shape, (2, 1, 1))), tmp_path / "ct.nii.gz")
    write_labels(LabelImage(mask, Geometry(mask.shape, (2, 1, 1), (0, 0, 4))), tmp_path / "ct_mask.nii.gz")
    return tmp_path / "ct.nii.gz", tmp_path / "ct_mask.nii.gz"


def test_other_grid_is_refused(shifted: tuple[Path, Path]) -> None:
    """A mask on another grid is refused, with the cure."""
    with pytest.raises(CaseError, match=r"different grids: origin_mm .*resample_mask = true in \[image\]"):
        features(shifted)


def test_other_grid_resampled(shifted: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> None:
    """On request it is resampled, and the case says how many voxels became how many."""
    with caplog.at_level(logging.WARNING, "isthmus"):
        values = features(shifted, "resample_mask=true")
    assert values["original_shape_VoxelVolume"] == 4 * 5 * 6 * 2
    assert "120 voxels (0.24 ml) became 120 (0.24 ml); 0 of its voxels lay outside the image" in caplog.text


@pytest.mark.parametrize("where", ["image", "block"])
def test_plan(where: str) -> None:
    """[image] sets it for all blocks, a block for itself."""
    block = (
        {"name": "us", "image": "us", "pixel_spacing_mm": 0.1} if where == "block" else {"name": "us", "image": "us"}
    )
    image = {"pixel_spacing_mm": 0.1} if where == "image" else {}
    plan = Plan.parse({"cohort": {"table": "c.csv", "outcome": "y"}, "image": image, "features": [block]})
    assert plan.prepare_settings(plan.features[0]).pixel_spacing_mm == 0.1


@pytest.mark.parametrize("where", ["image", "block"])
def test_the_lock_file_says_the_same(where: str) -> None:
    """A plan written out with every default reads its masks as the plan itself."""
    said = {"resample_mask": True}
    block = {"name": "us", "image": "us", **(said if where == "block" else {})}
    document = {
        "cohort": {"table": "c.csv", "outcome": "y"},
        "image": said if where == "image" else {},
        "features": [block],
    }
    plan = Plan.parse(Plan.parse(document).document())
    assert plan.prepare_settings(plan.features[0]).resample_mask


def test_one_hash(tmp_path: Path) -> None:
    """The hash of a content is the hash of a file that holds it: kept pieces of work stay valid."""
    (tmp_path / "a").write_bytes(b"voxels")
    assert store.hash_bytes(b"voxels") == store.hash_path(tmp_path / "a")


def test_files_are_read_once(shifted: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A case's files are opened once: for their hash and their voxels."""
    opened: list[str] = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: opened.append(path.name) or read_bytes(path))
    features(shifted, "resample_mask=true")
    assert sorted(opened) == ["ct.nii.gz", "ct_mask.nii.gz"]
