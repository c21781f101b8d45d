"""What n supports, as the study says it: parameters counted before selection, and sentences for the terminal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError
from isthmus.study.sample_size import (
    count_parameters,
    sample_size_lines,
    sample_size_table,
    validation_table,
    with_selection,
)
from isthmus.study.subgroups import subgroup_levels
from isthmus.table import Outcome


def _outcome(n: int, events: int) -> Outcome:
    y = pd.Series(np.r_[np.ones(events, dtype=int), np.zeros(n - events, dtype=int)], index=[f"P{i}" for i in range(n)])
    return Outcome("y", "binary", y)


def test_parameters_are_coefficients_before_selection() -> None:
    """A number is one parameter, a category levels minus one, a context column none."""
    X = pd.DataFrame({"age": [1.0, 2.0, 3.0], "grade": ["a", "b", "c"], "@centre": ["x", "y", "x"]})
    assert count_parameters(X) == 3


def test_a_published_study_could_support_six_of_its_131_features() -> None:
    """130 patients with 32 events at AUC 0.883 (the thyroid study): about six parameters; it screened 131 features."""
    table = sample_size_table({"radiomics": 131}, _outcome(130, 32), expected_auc=0.883)
    assert (table["supported"].iloc[0] in {5, 6}, table["needed"].iloc[0] > 2000) == (True, True)


def test_other_tasks_have_no_such_criteria() -> None:
    """A survival outcome gives an empty table, not a wrong one."""
    y = pd.Series([1.0, 2.0], index=["a", "b"])
    assert sample_size_table({"m": 3}, Outcome("y", "regression", y), expected_auc=0.75).empty


def test_the_smaller_class_counts() -> None:
    """Where events are the majority, the non-events are the scarce ones."""
    assert sample_size_table({"m": 3}, _outcome(100, 80), expected_auc=0.75)["events"].iloc[0] == 20


def test_lines_say_what_is_needed() -> None:
    """Models with the same candidates share a line, which names the patients needed."""
    table = sample_size_table({"a": 1300, "b": 1300, "c": 1}, _outcome(130, 32), expected_auc=0.8)
    lines = sample_size_lines(table)
    assert (lines[1].startswith("  a, b: 1,300 candidate parameters"), lines[2].endswith("enough")) == (True, True)


def test_selection_is_added_after_the_run() -> None:
    """Events per selected column come beside those per candidate; a model that chose nothing has none."""
    table = sample_size_table({"a": 10, "b": 10}, _outcome(100, 20), expected_auc=0.8)
    found = with_selection(table, {"a": 4, "b": 0})["events_per_selected"]
    assert (found[0], np.isnan(found[1])) == (5.0, True)


def test_one_class_outside_has_no_precision() -> None:
    """A split without both classes is not foretold."""
    found = validation_table(
        {"external": _outcome(40, 0), "internal": _outcome(60, 20)}, expected_auc=0.8, confidence=0.95
    )
    assert found["split"].tolist() == ["internal"]


FACTS = (
    ("the study", pd.DataFrame({"centre": ["A", "B", "A"]}, index=["p", "q", "r"])),
    ("table", pd.DataFrame({"age": [50.0, np.nan, 61.0], "sex": ["f", "m", ""]}, index=["p", "q", "r"])),
)


def test_levels_of_columns_and_conditions() -> None:
    """A column's values are levels, a condition's are yes and no, and what is unknown stays so."""
    levels = subgroup_levels(["centre", "sex", "age > 55"], FACTS)
    assert levels.astype(object).where(levels.notna(), None).to_dict("list") == {
        "centre": ["A", "B", "A"], "sex": ["f", "m", None], "age > 55": ["no", None, "yes"],
    }  # fmt: skip


def test_an_unknown_column_is_named() -> None:
    """The message says where the mistake stands and what was meant."""
    with pytest.raises(PlanError, match=r"\[validate\] subgroups.*'aeg'"):
        subgroup_levels(["aeg > 55"], FACTS)


def test_a_column_of_many_values_asks_for_a_condition() -> None:
    """A measurement is no subgroup; the message shows a condition."""
    many = (("table", pd.DataFrame({"size_mm": np.arange(30.0)}, index=[f"p{i}" for i in range(30)])),)
    with pytest.raises(PlanError, match='Name a condition, such as "size_mm > '):
        subgroup_levels(["size_mm"], many)
