"""Tables of repeats: two ways to write them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.select.repeats import arrange, read_repeats


def write(folder: Path, frame: pd.DataFrame, name: str = "repeats.csv") -> Path:
    frame.to_csv(folder / name, index=False)
    return folder / name


PLAIN = pd.DataFrame({"patient": ["A", "A", "B", "B"], "repeat": [1, 2, 1, 2], "x": [1.0, 1.1, 2.0, 2.2]})


def test_patient_and_repeat(tmp_path):
    """A user's own table."""
    table = read_repeats(write(tmp_path, PLAIN))
    assert table[["patient", "subject", "repeat"]].values.tolist()[1] == ["A", "A", "2"]


def test_what_extract_perturb_writes(tmp_path):
    """`row` holds the number behind #, and tells the lesions of a patient apart."""
    rows = pd.DataFrame(
        {
            "row": ["A left#0", "A left#1", "A right#0", "A right#1"],
            "patient": "A",
            "perturbation": ["as drawn", "noise"] * 2,
            "x": [1.0, 1.1, 2.0, 2.2],
        }
    )
    table = read_repeats(write(tmp_path, rows))
    assert table["subject"].tolist() == ["A left", "A left", "A right", "A right"]


def test_parquet_is_read_too(tmp_path):
    """The other format of feature tables."""
    PLAIN.to_parquet(tmp_path / "repeats.parquet")
    assert read_repeats(tmp_path / "repeats.parquet")["x"].tolist() == [1.0, 1.1, 2.0, 2.2]


def test_a_changed_file_is_read_again(tmp_path):
    """What is remembered is the content, not the name."""
    path = write(tmp_path, PLAIN)
    read_repeats(path)
    write(tmp_path, PLAIN.assign(x=PLAIN["x"] + 100))
    assert read_repeats(path)["x"].tolist() == [101.0, 101.1, 102.0, 102.2]


def test_a_repeat_twice_is_refused(tmp_path):
    """Which of both would count?"""
    with pytest.raises(TableError, match="'A' has repeat '1' twice"):
        read_repeats(write(tmp_path, PLAIN.assign(repeat=1)))


def test_columns_that_must_be_there(tmp_path):
    """Without a repeat nothing is repeated."""
    with pytest.raises(TableError, match="expected the columns 'patient' and 'repeat'"):
        read_repeats(write(tmp_path, PLAIN.drop(columns="repeat")))


def test_an_absent_file_says_how_to_make_one(tmp_path):
    """The command is named."""
    with pytest.raises(TableError, match="isthmus extract --perturb"):
        read_repeats(tmp_path / "no.csv")


def test_subjects_without_every_repeat_are_left_out(tmp_path):
    """An ICC needs the same repeats of all; the count of the others is told."""
    table = read_repeats(
        write(tmp_path, pd.concat([PLAIN, pd.DataFrame({"patient": ["C"], "repeat": [1], "x": [3.0]})]))
    )
    (found,) = arrange(table, ["x"])
    assert (found.values.shape, found.left_out) == ((2, 2, 1), 1)


def test_a_feature_missing_somewhere_does_not_take_the_others_with_it(tmp_path):
    """Features are grouped by where they are missing."""
    table = read_repeats(write(tmp_path, PLAIN.assign(y=[np.nan, 1.0, 2.0, 3.0])))
    assert {found.columns[0]: len(found.values) for found in arrange(table, ["x", "y"])} == {"x": 2, "y": 1}
