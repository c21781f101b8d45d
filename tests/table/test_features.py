"""The feature table: facts beside numbers, and nothing lost on the way to a file and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.table import ColumnMeta, FeatureTable

METAS = (
    ColumnMeta("ct_volume", image="ct", family="shape", feature="MeshVolume", ibsi_code="RNU0", unit="mm3"),
    ColumnMeta(
        "ct_p90",
        image="ct",
        filter="log",
        family="firstorder",
        feature="90Percentile",
        ibsi_code="OZ0C",
        parameter="0.9",
    ),
)


def example(n: int = 5) -> FeatureTable:
    values = np.random.default_rng(1).normal(size=(n, 2))
    values[1, 0] = np.nan
    rows = pd.DataFrame({"patient": [f"00{i}" for i in range(n)], "centre": "A"}, dtype="str")
    return FeatureTable(pd.DataFrame(values, columns=["ct_volume", "ct_p90"]), rows, METAS)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_round_trip(tmp_path: Path, ending: str) -> None:
    """Values come back to the last bit, patients with their leading zeros, facts as they were."""
    table = example()
    table.write(tmp_path / f"t{ending}")
    back = FeatureTable.read(tmp_path / f"t{ending}")
    assert back.columns == table.columns
    pd.testing.assert_frame_equal(back.to_frame(), table.to_frame(), check_exact=True)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_categories_come_back_as_text(tmp_path: Path, ending: str) -> None:
    """A column of categories beside the numbers stays text, `1` too."""
    meta = ColumnMeta("grade", family="clinical", feature="grade", unit="category")
    table = FeatureTable(
        pd.DataFrame({"grade": ["1", "2"]}, dtype="str"), pd.DataFrame({"patient": ["a", "b"]}, dtype="str"), (meta,)
    )
    table.write(tmp_path / f"t{ending}")
    assert FeatureTable.read(tmp_path / f"t{ending}").values["grade"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("pyradiomics", ["original_shape_MeshVolume", "log_firstorder_90Percentile"]),
        ("ibsi", ["shape_RNU0", "log_firstorder_OZ0C_0.9"]),
    ],
)
def test_names_follow_from_facts(names: str, expected: list[str]) -> None:
    """Other vocabularies' names are made from the facts of the columns."""
    assert list(example().to_frame(names).columns[2:]) == expected


def test_two_images_keep_their_names_apart() -> None:
    """Where two images have the same feature, the image stands in front."""
    metas = tuple(
        ColumnMeta(f"{i}_x", image=i, filter="original", family="glcm", feature="Contrast") for i in ("mr", "pet")
    )
    values = pd.DataFrame([[1.0, 2.0]], columns=["mr_x", "pet_x"])
    table = FeatureTable(values, pd.DataFrame({"patient": ["a"]}), metas)
    expected = ["patient", "mr_original_glcm_Contrast", "pet_original_glcm_Contrast"]
    assert list(table.to_frame("pyradiomics").columns) == expected


def test_unknown_vocabulary_is_refused() -> None:
    """A vocabulary that does not exist is named."""
    with pytest.raises(TableError, match="names = 'matlab': expected 'pyradiomics' or 'ibsi'"):
        example().to_frame("matlab")


def test_facts_must_fit_the_values() -> None:
    """Values without facts are refused."""
    table = example()
    with pytest.raises(TableError, match="columns of the values and their facts differ"):
        FeatureTable(table.values, table.rows, METAS[:1])


def test_names_must_be_unique() -> None:
    """Two columns of one name are refused."""
    values = pd.DataFrame(np.zeros((1, 2)), columns=["ct_volume", "ct_volume"])
    with pytest.raises(TableError, match="column names occur twice: ct_volume"):
        FeatureTable(values, pd.DataFrame({"patient": ["a"]}), (METAS[0], METAS[0]))


def test_rows_must_fit_the_values() -> None:
    """Row facts on another index are refused."""
    table = example()
    with pytest.raises(TableError, match="values and rows have different indices"):
        FeatureTable(table.values, table.rows.iloc[::-1], METAS)


def test_unknown_endings_are_refused(tmp_path: Path) -> None:
    """A table is not written under an ending that nobody can read."""
    with pytest.raises(TableError, match=r"written as \.csv or \.parquet, not '.xls'"):
        example().write(tmp_path / "t.xls")
