"""The rows of a case table, without a study around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.cohort.rows import absolute_path, read_case_rows
from isthmus.errors import PlanError, TableError


def table(folder: Path, text: str) -> Path:
    path = folder / "cases.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_and_files(tmp_path: Path) -> None:
    """Each row has a name, its patient and absolute paths; labels are kept as they stand."""
    rows = read_case_rows(
        table(tmp_path, "patient,lesion,image:ct,mask:ct,label:ct\nP1,b,a.nii,m.nii,2\nP1,a,a.nii,m.nii,GTV\n")
    )
    assert rows.to_numpy().tolist() == [
        [f"P1/{lesion}", "P1", str(tmp_path / "a.nii"), str(tmp_path / "m.nii"), label]
        for lesion, label in (("a", "GTV"), ("b", "2"))
    ]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("patient,x\nP1,1\n", TableError, "no image: column"),
        ("patient,image:ct\nP1,a.nii\n", PlanError, "unknown column 'mask:ct'. The table has: patient, image:ct"),
        ("case,image:ct,mask:ct\nP1,a,m\n", PlanError, "unknown column 'patient'"),
        ("patient,image:ct,mask:ct\nP1,a,m\nP1,a,m\n", TableError, "duplicate patients: patient P1 in rows 2, 3"),
        ("patient,image:ct,mask:ct\n,a,m\n", TableError, "no patient in row 2"),
    ],
)
def test_refusals(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    """A table without images, masks or patients is refused by name."""
    with pytest.raises(error, match=message):
        read_case_rows(table(tmp_path, text))


def test_a_backslash_in_a_name_that_exists_is_kept(tmp_path: Path) -> None:
    """A file whose name really holds a backslash is found under that name."""
    (tmp_path / "a\\b.nii").write_bytes(b"")
    assert absolute_path("a\\b.nii", tmp_path).name == "a\\b.nii"
