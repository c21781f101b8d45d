"""The variance filter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.select.variance import VarianceFilter


def test_constant_columns_go_with_the_reason():
    """Also a constant that rounding makes uneven is constant."""
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.1, 0.1, 0.1], "c": [0.3, 0.1 + 0.2, 0.3]})
    assert VarianceFilter().fit(frame).dropped_ == dict.fromkeys("bc", "constant in the training rows")


def test_small_numbers_are_not_constant():
    """A column in units of 1e-9 that varies is kept."""
    frame = pd.DataFrame({"a": np.array([1.0, 2.0, 3.0]) * 1e-9})
    assert VarianceFilter().fit(frame).dropped_ == {}


def test_a_threshold_names_the_variance():
    """Below `at_least` a column goes and the number is said."""
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 10.0]})
    assert VarianceFilter(at_least=1.0).fit(frame).dropped_ == {"a": "variance 0.25 <= 1"}


def test_dropping_everything_is_an_error():
    """A fold without columns is an error that says which setting to loosen."""
    with pytest.raises(TableError, match="would drop all 1 columns"):
        VarianceFilter().fit(pd.DataFrame({"a": [1.0, 1.0]}))
