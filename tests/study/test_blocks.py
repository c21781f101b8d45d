"""Feature blocks side by side."""

from __future__ import annotations

import pandas as pd
import pytest

from isthmus.study.blocks import BlockData, join_blocks, per_patient, restrict
from isthmus.table import ColumnMeta, FeatureTable


def table(values: list[float], patients: list[str]) -> FeatureTable:
    index = pd.Index([f"r{n}" for n in range(len(values))], name="row")
    return FeatureTable(
        pd.DataFrame({"x": values}, index=index),
        pd.DataFrame({"patient": patients}, index=index, dtype="str"),
        (ColumnMeta("x"),),
    )


@pytest.mark.parametrize(("how", "expected"), [("mean", [2.0, 5.0]), ("max", [3.0, 5.0]), ("largest", [1.0, 5.0])])
def test_rows_of_one_patient_become_one(how: str, expected: list[float]) -> None:
    """Several rows of a patient are aggregated as the block says."""
    source = table([1.0, 3.0, 5.0], ["a", "a", "b"])
    volumes = pd.Series([10.0, 2.0, 1.0], index=source.values.index)
    assert per_patient(source, how, volumes).values["x"].tolist() == expected


def test_predictions_keep_the_rows() -> None:
    """aggregate = "predictions" leaves every row to the model."""
    block = per_patient(table([1.0, 3.0, 5.0], ["a", "a", "b"]), "predictions")
    assert block.patients.tolist() == ["a", "a", "b"]


def test_join_repeats_the_patient_values() -> None:
    """A block with several rows a patient is joined with one that has one: the one is repeated."""
    rows = per_patient(table([1.0, 3.0, 5.0], ["a", "a", "b"]), "predictions")
    one = per_patient(table([7.0, 8.0], ["b", "a"]), "mean")
    X, patients = join_blocks({"rows": rows, "one": one}, ["rows", "one"], several=True)
    assert X["one.x"].tolist() == [8.0, 8.0, 7.0]
    assert patients.tolist() == ["a", "a", "b"]


def test_names_carry_the_block_only_when_there_are_several() -> None:
    """With one block the column keeps its plain name."""
    one = per_patient(table([7.0, 8.0], ["b", "a"]), "mean")
    assert list(join_blocks({"one": one}, ["one"], several=False)[0].columns) == ["x"]


def test_restrict_orders_by_the_patients_given() -> None:
    """Rows follow the order of the patients asked for."""
    block = BlockData(
        pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=["r0", "r1", "r2"]),
        pd.Series(["a", "b", "a"], index=["r0", "r1", "r2"]),
        (),
    )
    assert restrict(block, pd.Index(["b", "a"])).values["x"].tolist() == [2.0, 1.0, 3.0]
