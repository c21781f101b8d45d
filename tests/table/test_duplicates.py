"""Near-duplicate patients (rule L11)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from isthmus.table.duplicates import near_duplicates


def cohort(patients: int = 40, columns: int = 30) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((patients, columns)) * 7 + 100).add_prefix("x")
    return frame, pd.Series([f"P{n:02d}" for n in range(patients)])


def test_strangers_are_not_duplicates() -> None:
    """Independent patients are not reported."""
    assert near_duplicates(*cohort()) == []


def test_one_scan_under_two_names_is_found() -> None:
    """A row copied under another name, with rounding, is found."""
    values, patients = cohort()
    values.iloc[31] = values.iloc[4].round(4)
    assert [(one, other) for one, other, _ in near_duplicates(values, patients)] == [("P04", "P31")]


def test_two_rows_of_one_patient_are_no_duplicates() -> None:
    """Several views of one patient may look alike: they are never split."""
    values, patients = cohort()
    values.iloc[31] = values.iloc[4]
    patients.iloc[31] = patients.iloc[4]
    assert near_duplicates(values, patients) == []


def test_few_columns_say_nothing() -> None:
    """With a handful of columns two strangers can agree by chance; nothing is claimed."""
    values, patients = cohort(columns=5)
    values.iloc[31] = values.iloc[4]
    assert near_duplicates(values, patients) == []


def test_missing_and_constant_columns_are_left_aside() -> None:
    """Gaps and constant columns do not hide a duplicate."""
    values, patients = cohort()
    values.iloc[31] = values.iloc[4]
    values["constant"] = 1.0
    values.loc[7, "x3"] = np.nan
    assert len(near_duplicates(values, patients)) == 1


def test_a_column_that_nobody_has_is_left_aside() -> None:
    """All missing: no spread, no warning."""
    values, patients = cohort()
    assert near_duplicates(values.assign(x0=np.nan), patients) == []
