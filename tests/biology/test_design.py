"""The model: contrasts by name, covariates, and what cannot be told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.biology.design import contrast_groups, make_design
from isthmus.errors import TableError


@pytest.mark.parametrize(
    ("text", "groups", "wanted"),
    [
        ("high-low", ["low", "high"], ("high", "low")),
        ("pre-op-post-op", ["pre-op", "post-op"], ("pre-op", "post-op")),
        (None, ["N0", "N1"], ("N1", "N0")),
    ],
)
def test_contrasts_by_name(text: str | None, groups: list[str], wanted: tuple[str, str]) -> None:
    """A minus may be part of a group's name."""
    assert contrast_groups(text, groups) == wanted


@pytest.mark.parametrize(
    ("text", "groups", "message"),
    [
        (None, ["a", "b", "c"], "3 groups"),
        ("hihg-low", ["low", "high"], "Did you mean 'high'"),
        ("high", ["low", "high"], "with a minus between"),
        ("low-low", ["low", "high"], "with a minus between"),
    ],
)
def test_contrasts_that_are_refused(text: str | None, groups: list[str], message: str) -> None:
    """Each says what there is."""
    with pytest.raises(TableError, match=message):
        contrast_groups(text, groups)


def _samples(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"group": ["a", "a", "a", "b", "b", "b"], **columns}, index=list("uvwxyz"))


def test_text_becomes_levels_and_numbers_stay() -> None:
    """One column a group, a number as it is, text but its first level, a batch as a category although it is a number."""
    samples = _samples(
        age=["50", "61", "70", "44", "58", "66"],
        site=["p", "q", "p", "q", "p", "q"],
        day=["1", "1", "2", "1", "2", "2"],
    )
    design = make_design(samples, None, ["age", "site"], "day")
    assert list(design.columns.columns) == ["a", "b", "age", "site=q", "day=batch 2"]
    np.testing.assert_array_equal(design.contrast, [-1, 1, 0, 0, 0])


def test_a_batch_that_is_the_group_is_refused() -> None:
    """Nothing could tell one from the other."""
    with pytest.raises(TableError, match="cannot be told apart from day"):
        make_design(_samples(day=["1", "1", "1", "2", "2", "2"]), None, [], "day")


def test_missing_covariates_are_refused() -> None:
    """Named with the samples."""
    with pytest.raises(TableError, match="'age' is empty for 1 samples: v"):
        make_design(_samples(age=["50", None, "70", "44", "58", "66"]), None, ["age"], None)  # type: ignore[list-item]


def test_no_degree_of_freedom_is_refused() -> None:
    """As many columns as samples."""
    with pytest.raises(TableError, match="no degree of freedom"):
        make_design(_samples(who=list("123456")), None, [], "who")
