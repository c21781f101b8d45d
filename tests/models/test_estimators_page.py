"""docs/reference/estimators.md says what the code does."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from isthmus import models
from isthmus.table.target import time_to_event
from validate.drawn import QUICK, design

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "estimators.md"


def row(name: str) -> list[str]:
    """Name, settings with defaults, needs, files: as the code has them."""
    estimator = models.ESTIMATORS[name]
    decided = {"random_state", "horizon", *estimator.study_decides}
    defaults = {
        key: parameter.default
        for key, parameter in inspect.signature(estimator).parameters.items()
        if key not in decided
    }
    settings = ", ".join(f"`{key}` {'none' if value is None else _toml(value)}" for key, value in defaults.items())
    return [f"`{name}`", settings, ", ".join(sorted(estimator().requires)), ", ".join(_files(name))]


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _files(name: str) -> list[str]:
    members = {
        "voting": ["the files of its members"],
        "stacking": ["`stacking.json`", "the files of its members"],
        "best_of": ["`best_of.json`", "the files of the chosen member"],
    }
    if name in members:
        return members[name]
    made = design(np.random.default_rng(0), n=40, p=3)
    outcome = made.events(np.ones(40, dtype=bool))
    if "survival" in models.ESTIMATORS[name].tasks:
        outcome = time_to_event(outcome, np.arange(1.0, 41.0))
    fitted = models.ESTIMATORS[name](**QUICK.get(name, {})).fit(made.X, outcome)
    return [f"`{file}`" for file in sorted(fitted.to_files())]


def _rows() -> dict[str, list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {line[0].strip("`"): line for line in cells}


def test_the_table_lists_every_estimator_in_order():
    """Nothing is missing from the page and nothing on it is gone."""
    assert list(_rows()) == list(models.ESTIMATORS)


@pytest.mark.parametrize("name", models.ESTIMATORS)
def test_a_row_says_what_the_code_does(name):
    """Settings, defaults, needs and files of the row are those of the class."""
    assert _rows()[name][:4] == row(name)
