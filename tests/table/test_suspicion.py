"""Predictors that tell the outcome all by themselves are pointed out (rule L10), and no others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.table import Outcome
from isthmus.table.outcome import Task
from isthmus.table.suspicion import numbered, suspects

INDEX = pd.Index([f"P{i:02d}" for i in range(40)], name="patient")
EVENTS = np.arange(40) % 2


def outcome(task: Task = "binary") -> Outcome:
    return Outcome("y", task, pd.Series(EVENTS, index=INDEX))


def named(frame: pd.DataFrame, patients: pd.Index[str] = INDEX, task: Task = "binary") -> list[str]:
    return [problem.where for problem in suspects(frame.set_index(INDEX), outcome(task), patients)]


@pytest.mark.parametrize(
    "cells",
    [
        EVENTS + np.linspace(0, 0.5, 40),
        -EVENTS * 3.0,
        np.where(EVENTS == 1, "n1", "n0"),
        np.where(np.arange(40) < 4, np.nan, EVENTS),
    ],
)
def test_a_column_made_from_the_outcome_is_named(cells: np.ndarray) -> None:  # type: ignore[type-arg]
    """A number or category that gives the outcome away, in either direction, is named; missing cells do not hide it."""
    assert named(pd.DataFrame({"leak": cells, "noise": np.random.default_rng(0).normal(size=40)})) == ["leak"]


def test_a_good_predictor_is_not_suspect() -> None:
    """A strong but honest predictor is left alone."""
    strong = EVENTS + np.random.default_rng(1).normal(scale=0.5, size=40)
    assert named(pd.DataFrame({"strong": strong})) == []


def test_names_of_patients_are_not_suspect() -> None:
    """A category that is different for everybody says nothing."""
    assert named(pd.DataFrame({"name": list(INDEX)})) == []


def test_luck_is_not_suspect() -> None:
    """Among many columns and few patients some split perfectly by chance; they are not named."""
    noise = pd.DataFrame(np.random.default_rng(2).normal(size=(40, 3000)))
    assert named(noise, INDEX[:8]) == []


def test_only_the_patients_asked_for_are_looked_at() -> None:
    """Rows outside the training set have no influence."""
    leak = pd.DataFrame({"leak": np.where(np.arange(40) < 30, EVENTS, 1 - EVENTS)})
    assert named(leak, INDEX[:30]) == ["leak"]


def test_other_tasks_are_not_looked_at() -> None:
    """Only binary outcomes have a single AUC."""
    assert named(pd.DataFrame({"leak": EVENTS}), task="survival") == []


def _numbered(n: int = 40):
    rng = np.random.default_rng(4)
    names = pd.Index([f"P{i:03d}" for i in range(n)])
    values = pd.DataFrame({"texture": rng.normal(size=n), "accession": np.arange(n) * 17.0 + 3}, index=names)
    return values, names


def test_a_running_number_is_pointed_out():
    """A column that rises with the patients' numbers is no measurement."""
    values, names = _numbered()
    outcome = Outcome("y", "binary", pd.Series(np.arange(len(names)) % 2, index=names))
    assert [problem.where for problem in numbered(values, outcome, names)] == ["accession"]


def test_cases_numbered_by_outcome_are_pointed_out():
    """All events first: whatever changed while cases were collected tells the outcome."""
    values, names = _numbered()
    outcome = Outcome("y", "binary", pd.Series((np.arange(len(names)) < 15).astype(int), index=names))
    assert "patient" in [problem.where for problem in numbered(values, outcome, names)]


def test_names_without_numbers_are_left_alone():
    """Initials order nobody."""
    values, names = _numbered()
    letters = pd.Index([f"{a}{b}" for a in "ABCDEFGH" for b in "VWXYZ"])
    outcome = Outcome("y", "binary", pd.Series(np.arange(len(names)) % 2, index=letters))
    assert numbered(values.set_axis(letters), outcome, letters) == []
