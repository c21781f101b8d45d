"""`isthmus segment assess`: pairs of files and folders, labels, and what cannot be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import CaseError, PlanError
from isthmus.image.geometry import Geometry
from isthmus.image.io import write_labels
from isthmus.image.labels import LabelImage
from isthmus.study.assess import assess_to_file


def save(path: Path, width: int, *, label: int = 1, beside: int = 0, spacing: float = 1.0) -> Path:
    values = np.zeros((4, 12, 12), dtype=np.int16)
    values[1:3, 2 : 2 + width, 2:8] = label
    if beside:
        values[:, 11] = beside
    path.parent.mkdir(exist_ok=True)
    write_labels(LabelImage(values, Geometry(values.shape, (2.0, spacing, spacing))), path)
    return path


def table(out: Path) -> pd.DataFrame:
    return pd.read_csv(out).pivot(index="case", columns="metric", values="value")


def test_two_files_are_compared(tmp_path: Path) -> None:
    a, b = save(tmp_path / "a.nii.gz", 6), save(tmp_path / "b.nii.gz", 4)
    assert assess_to_file(a, b, tmp_path / "out.csv") == 0
    row = table(tmp_path / "out.csv").loc["b"]
    assert row["dice"] == pytest.approx(0.8)
    assert (row["modification"], row["acceptable"]) == (2, 0)


def test_folders_are_matched_by_name_and_what_is_alone_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for case in ("p1", "p2"):
        save(tmp_path / "a" / f"{case}.nii.gz", 6)
    for case in ("p2", "p3"):
        save(tmp_path / "b" / f"{case}.mha", 6)
    assert assess_to_file(tmp_path / "a", tmp_path / "b", tmp_path / "out.csv") == 2
    assert list(table(tmp_path / "out.csv").index) == ["p2"]
    assert "case p1: no mask of this name in" in caplog.text
    assert "case p3: no mask of this name in" in caplog.text


def test_several_labels_are_not_taken_as_one_lesion(tmp_path: Path) -> None:
    a, b = save(tmp_path / "a.nii.gz", 6, label=11, beside=2), save(tmp_path / "b.nii.gz", 6, label=11, beside=2)
    with pytest.raises(CaseError, match="holds the labels 2, 11; say which is the lesion with --label"):
        assess_to_file(a, b, tmp_path / "out.csv")
    assess_to_file(a, b, tmp_path / "out.csv", label=11)
    assert table(tmp_path / "out.csv").loc["b", "volume_ml"] == pytest.approx(2 * 6 * 6 * 2 / 1000)


def test_a_mask_without_the_label_is_an_empty_one(tmp_path: Path) -> None:
    a, b = save(tmp_path / "a.nii.gz", 6, label=11), save(tmp_path / "b.nii.gz", 0)
    assess_to_file(a, b, tmp_path / "out.csv", label=11)
    assert table(tmp_path / "out.csv").loc["b", "dice"] == 0


def test_other_grids_are_refused_and_the_others_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for case, spacing in (("p1", 1.0), ("p2", 0.5)):
        save(tmp_path / "a" / f"{case}.nii.gz", 6)
        save(tmp_path / "b" / f"{case}.nii.gz", 6, spacing=spacing)
    assert assess_to_file(tmp_path / "a", tmp_path / "b", tmp_path / "out.csv") == 1
    assert "case p2: the masks lie on different grids" in caplog.text


def test_folders_without_a_common_name_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a" / "p1.nii.gz", 6)
    save(tmp_path / "b" / "q1.nii.gz", 6)
    with pytest.raises(PlanError, match="has the name of one in"):
        assess_to_file(tmp_path / "a", tmp_path / "b", tmp_path / "out.csv")


def test_a_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="two mask files or two folders"):
        assess_to_file(save(tmp_path / "a.nii.gz", 6), tmp_path, tmp_path / "out.csv")
