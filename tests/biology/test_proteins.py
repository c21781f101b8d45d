"""Reading protein tables: what is a sample, what is missing, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus.biology import read_protein_table
from isthmus.errors import TableError

GROUPS = "sample,group\na,low\nb,high\n"


def _files(folder: Path, table: str, groups: str = GROUPS) -> tuple[Path, Path]:
    (folder / "t.csv").write_text(table)
    (folder / "g.csv").write_text(groups)
    return folder / "t.csv", folder / "g.csv"


def test_facts_of_proteins_and_samples_without_a_group_are_told_apart(tmp_path: Path) -> None:
    """Columns of text describe the protein; columns of numbers that are no samples are left out, and said to be."""
    read = read_protein_table(*_files(tmp_path, "id,gene,a,b,c\nP1,G1,1,2,3\nP2,G2,4,5,6\n"))
    assert (list(read.values.columns), list(read.proteins.columns)) == (["a", "b"], ["gene"])
    assert "1 columns of numbers are not among the samples" in read.notes[0]


def test_a_raw_zero_is_not_measured(tmp_path: Path) -> None:
    """An intensity of 0 is no logarithm: it is missing, and counted."""
    read = read_protein_table(*_files(tmp_path, "id,a,b\nP1,0,2\nP2,4,5\n"))
    assert np.isnan(read.values.loc["P1", "a"])
    assert read.notes == ("1 intensities of 0 count as not measured",)


def test_a_zero_on_a_log_scale_is_a_number(tmp_path: Path) -> None:
    """log2 tables hold zeros and negative values by right."""
    read = read_protein_table(*_files(tmp_path, "id,a,b\nP1,0,-2\nP2,4,5\n"), scale="log2")
    assert read.values.loc["P1"].tolist() == [0.0, -2.0]


def test_a_protein_measured_nowhere_is_left_out(tmp_path: Path) -> None:
    """It can say nothing, and is counted."""
    read = read_protein_table(*_files(tmp_path, "id,a,b\nP1,0,0\nP2,4,5\n"))
    assert list(read.values.index) == ["P2"]


@pytest.mark.parametrize(
    ("table", "groups", "message"),
    [
        ("id,a,b\nP1,1,2\nP1,3,4\n", GROUPS, "more than once: P1"),
        ("id,a,b\nP1,1,2\n,3,4\n", GROUPS, "empty in row 3"),
        ("id,a,b\nP1,1,x\n", GROUPS, "text in a numeric column, 'b'"),
        ("id,a,b\nP1,1,-2\n", GROUPS, "--scale log2"),
        ("id,a\nP1,1\n", GROUPS, "1 of 2 samples are no column of .*: b"),
        ("id,a,b\nP1,1,2\n", "sample,arm\na,low\n", "no column 'group'"),
        ("id,a,b\nP1,1,2\n", "sample,group\na,low\na,high\n", "samples stand more than once: a"),
        ("id,a,b\nP1,1,2\n", "sample,group\na,low\nb,\n", "no group in row 3"),
    ],
)
def test_what_is_refused(table: str, groups: str, message: str, tmp_path: Path) -> None:
    """Each message names the place and what was expected."""
    with pytest.raises(TableError, match=message):
        read_protein_table(*_files(tmp_path, table, groups))


def test_raw_intensities_called_log2_are_refused(tmp_path: Path) -> None:
    """Values that no logarithm reaches."""
    with pytest.raises(TableError, match="--scale raw"):
        read_protein_table(*_files(tmp_path, "id,a,b\nP1,35787000,24701000\n"), scale="log2")
