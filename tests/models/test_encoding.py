"""Text categories to 0/1 columns."""

from __future__ import annotations

import pandas as pd
import pytest

from isthmus.errors import IsthmusWarning, TableError
from isthmus.models.encoding import Encode

TRAIN = pd.DataFrame({"stage": ["II", "I", "III", "I"], "sex": ["f", "m", "m", "f"], "age": [1, 2, 3, 4]})


def test_two_categories_give_one_column_and_more_give_one_each():
    """Names say column and category; the order is that of the columns, then the alphabet."""
    names = Encode().fit(TRAIN).get_feature_names_out().tolist()
    assert names == ["stage=I", "stage=II", "stage=III", "sex=m", "age"]


def test_drop_first_leaves_out_the_reference():
    """With drop_first the first category is the reference."""
    names = Encode(drop_first=True).fit(TRAIN).get_feature_names_out().tolist()
    assert names == ["stage=II", "stage=III", "sex=m", "age"]


def test_values_are_indicators():
    """Each row has a 1 in the column of its category."""
    assert Encode().fit(TRAIN).transform(TRAIN)["stage=I"].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_an_unseen_category_is_all_zero_and_reported():
    """A category that training never saw gives zeros and a warning that names it."""
    step = Encode().fit(TRAIN)
    with pytest.warns(IsthmusWarning, match="'stage': 'IV' did not occur"):
        row = step.transform(pd.DataFrame({"stage": ["IV"], "sex": ["f"], "age": [5]}))
    assert row.iloc[0].tolist() == [0.0, 0.0, 0.0, 0.0, 5.0]


def test_one_category_is_dropped_with_the_reason():
    """A text column that says the same of everybody goes."""
    step = Encode().fit(pd.DataFrame({"site": ["neck", "neck"], "x": [1.0, 2.0]}))
    assert step.dropped_ == {"site": "one category in the training rows: 'neck'"}


def test_a_pandas_category_column_is_text():
    """dtype category counts as text."""
    step = Encode().fit(pd.DataFrame({"g": pd.Categorical(["a", "b", "c"])}))
    assert step.get_feature_names_out().tolist() == ["g=a", "g=b", "g=c"]


def test_a_category_that_takes_the_name_of_another_column_is_refused():
    """`sex=m` as a column of its own would be overwritten in silence."""
    with pytest.raises(TableError, match="'sex=m' would have the name of another column"):
        Encode().fit(TRAIN.assign(**{"sex=m": 1.0}))


def test_the_declared_reference_is_the_one_left_out():
    """With a reference the odds ratio is of the other level, whatever the alphabet says."""
    frame = pd.DataFrame({"sex": ["Female", "Male", "Male"], "stage": ["II", "I", "III"]})
    step = Encode(drop_first=True, reference={"sex": "Male", "stage": "II"}).fit(frame)
    assert step.get_feature_names_out().tolist() == ["sex=Female", "stage=I", "stage=III"]
