"""isthmus.synthetic.broken: each kind breaks the one thing it names."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import ImageReadError, TableError
from isthmus.image.io import read_image, read_labels
from isthmus.synthetic import SPOILS, make_cohort, spoil
from isthmus.table.reading import read_frame


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cohort(tmp_path_factory.mktemp("good"), patients=3).folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "cohort"))


IMAGE, MASK = "images/P0001_ct.nii.gz", "masks/P0001_ct.nii.gz"


def cases(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "cases.csv", dtype="str")


@pytest.mark.parametrize("kind", SPOILS)
def test_changes_exactly_one_file(good: Path, folder: Path, kind: str) -> None:
    """One file differs from the good cohort, or is gone; every other is untouched."""
    spoil(folder, kind)
    before, after = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in (good, folder))
    assert len([name for name in before if after.get(name) != before[name]]) == 1


def test_names_the_patient(folder: Path) -> None:
    """The row asked for is the row that goes wrong."""
    assert spoil(folder, "missing-file", row=1) == "P0002"


def test_missing_file(folder: Path) -> None:
    """The image is gone."""
    spoil(folder, "missing-file")
    assert not (folder / IMAGE).exists()


def test_truncated_image(folder: Path) -> None:
    """The reader refuses half an image."""
    spoil(folder, "truncated-image")
    with pytest.raises(ImageReadError):
        read_image(folder / IMAGE)


def test_mask_on_other_grid(folder: Path) -> None:
    """The mask opens, and lies elsewhere."""
    spoil(folder, "mask-on-other-grid")
    assert not read_labels(folder / MASK).geometry.same_grid(read_image(folder / IMAGE).geometry)


@pytest.mark.parametrize(("kind", "voxels"), [("empty-mask", 0), ("one-voxel-mask", 1)])
def test_small_masks(folder: Path, kind: str, voxels: int) -> None:
    """The mask has as many voxels as the kind says."""
    spoil(folder, kind)
    assert np.count_nonzero(read_labels(folder / MASK).values) == voxels


def test_nan_voxels_lie_in_the_lesion(folder: Path) -> None:
    """A third of the lesion's voxels have no value."""
    spoil(folder, "nan-voxels")
    inside = read_image(folder / IMAGE).values[read_labels(folder / MASK).values > 0]
    assert np.isnan(inside).mean() == pytest.approx(1 / 3, abs=0.01)


def test_unknown_plan_key(folder: Path) -> None:
    """The plan is still TOML, with a misspelt key."""
    spoil(folder, "unknown-plan-key")
    assert "fold" in tomllib.loads((folder / "plan.toml").read_text(encoding="utf-8"))["validate"]


def test_duplicate_patient(folder: Path) -> None:
    """The first patient stands in the table twice."""
    spoil(folder, "duplicate-patient")
    assert cases(folder)["patient"].tolist() == ["P0001", "P0002", "P0003", "P0001"]


def test_one_class_outcome(folder: Path) -> None:
    """Nobody has the event."""
    spoil(folder, "one-class-outcome")
    assert set(cases(folder)["metastasis"]) == {"0"}


def test_third_outcome_value(folder: Path) -> None:
    """The first patient's outcome is neither 0 nor 1."""
    spoil(folder, "third-outcome-value")
    assert cases(folder)["metastasis"][0] == "2"


def test_text_in_numeric_column(folder: Path) -> None:
    """The first patient's age is a word."""
    spoil(folder, "text-in-numeric-column")
    assert cases(folder)["age_years"][0] == "fifty-two"


def test_unreadable_encoding(folder: Path) -> None:
    """The table reader cannot make text of the table."""
    spoil(folder, "unreadable-encoding")
    with pytest.raises(TableError, match="not a text table"):
        read_frame(folder / "cases.csv")


def test_unknown_kind_is_refused(folder: Path) -> None:
    """The message lists the kinds there are."""
    with pytest.raises(ValueError, match="kind = 'typo': expected one of missing-file"):
        spoil(folder, "typo")
