"""Filling gaps with what the training rows say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.models.imputation import Impute

TRAIN = pd.DataFrame({"age": [40.0, np.nan, 60.0, 80.0], "sex": ["f", "m", None, "f"], "empty": [np.nan] * 4})


def test_numbers_get_the_training_median():
    """A gap in a number becomes the median of the training values."""
    assert Impute().fit(TRAIN).transform(TRAIN)["age"].tolist() == [40.0, 60.0, 60.0, 80.0]


def test_text_gets_the_most_frequent_value():
    """A gap in a text column becomes its most frequent training value."""
    assert Impute().fit(TRAIN).transform(TRAIN)["sex"].tolist() == ["f", "m", "f", "f"]


def test_new_rows_get_the_training_values():
    """The fill is that of the training rows, whatever the new rows hold."""
    new = pd.DataFrame({"age": [np.nan, 1.0], "sex": [None, "m"], "empty": [3.0, 4.0]})
    assert Impute().fit(TRAIN).transform(new).iloc[0].tolist() == [60.0, "f"]


def test_a_column_without_values_is_dropped_with_the_reason():
    """An entirely missing training column goes, and says why."""
    assert Impute().fit(TRAIN).dropped_ == {"empty": "no value in any training row"}


def test_ties_in_text_take_the_first_in_the_alphabet():
    """Equally frequent values: the alphabet decides, not the order of rows."""
    step = Impute().fit(pd.DataFrame({"t": ["b", "a", "b", "a"]}))
    assert step.fill_ == {"t": "a"}


def test_booleans_with_gaps_become_numbers():
    """A nullable boolean column is filled as a number."""
    frame = pd.DataFrame({"b": pd.array([True, None, True], dtype="boolean")})
    assert Impute().fit(frame).transform(frame)["b"].tolist() == [1.0, 1.0, 1.0]


def test_other_columns_than_in_training_are_refused():
    """A missing and an unknown column are named."""
    with pytest.raises(TableError, match="missing sex, not known size"):
        Impute().fit(TRAIN).transform(TRAIN.rename(columns={"sex": "size"}))


def test_a_table_without_any_value_is_refused():
    """If no column has a value in training nothing is left to learn from, and the step says so."""
    with pytest.raises(TableError, match="'impute' would drop all 2 columns"):
        Impute().fit(pd.DataFrame({"a": [np.nan] * 3, "b": [np.nan] * 3}))
