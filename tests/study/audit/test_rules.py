"""The rules of the leakage contract in a run: what is answered, and what makes an answer ask the reader to look."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from isthmus.models.settings import ModelSettings
from isthmus.study import Plan
from isthmus.study.audit.rules import RULES, Study
from isthmus.study.run import run_study
from isthmus.table import Outcome
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from study.tables import feature_table, write_study
from validate.drawn import build

PLAN = """
[table]
path = "features.csv"
id = "patient"
outcome = "outcome"
[[models]]
name = "ridge"
estimator = "logistic"
settings = { C = 1.0 }
steps = ["impute", "scale"]
[[models]]
name = "bayes"
estimator = "naive_bayes"
steps = ["impute", { name = "univariate", k = 3 }]
[validate]
folds = 3
repeats = 2
inner_folds = 3
bootstrap = 100
[audit]
permutations = 4
"""


def answers(folder: Path, table: pd.DataFrame, plan: str = PLAN) -> pd.DataFrame:
    """tables/audit.csv of a run, by rule."""
    table = table.drop(columns="centre")
    result = run_study(Plan.read(write_study(folder, table, plan)), folder / "run", workers=1)
    return result.tables["audit"].set_index("rule")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return answers(tmp_path_factory.mktemp("plain"), feature_table())


def test_every_rule_is_answered(plain: pd.DataFrame) -> None:
    """L1 to L13, in order."""
    assert list(plain.index) == [f"L{number}" for number in range(1, 14)] == list(RULES)


def test_a_plain_study_has_nothing_to_look_at(plain: pd.DataFrame) -> None:
    """No rule asks the reader to look."""
    assert set(plain["verdict"]) == {"cannot happen", "nothing found", "not used"}


def test_what_was_fitted_where_is_named(plain: pd.DataFrame) -> None:
    """The selecting step of the model that selects, and the number of folds."""
    assert plain.loc["L1", "found"] == "fitted anew on the training rows of each of 6 folds (bayes: univariate)"


def test_what_quoting_the_best_model_would_add_is_told(plain: pd.DataFrame) -> None:
    """L6: with two models the null study says what the better one reaches where there is nothing to find."""
    assert "Quoting the best of them would show a mean AUC of 0." in plain.loc["L6", "found"]


def test_what_the_data_hide_is_pointed_at(tmp_path: Path) -> None:
    """Planted at once: one repeat (L7), a running number (L10), one scan under two names (L11)."""
    table = feature_table(features=24)
    table["accession"] = np.arange(len(table)) + 0.5
    values = [column for column in table.columns if column.startswith("x")]
    table.loc[1, values] = table.loc[0, values]
    found = answers(tmp_path, table, PLAN.replace("repeats = 2", "repeats = 1"))
    assert list(found.index[found["verdict"] == "look at this"]) == ["L7", "L10", "L11"]


def test_two_spellings_of_one_patient_are_pointed_at() -> None:
    """L4 planted: P004 and p-004 would be dealt to different folds."""
    data = SimpleNamespace(split=pd.Series("train", index=["P001", "P004", "p-004"]))
    verdict, found = RULES["L4"][1](Study(None, data, {}))  # type: ignore[arg-type]
    assert verdict == "look at this"
    assert "P004 and p-004" in found


def _noise_auc(permutation: int, seed: int) -> float:
    """AUC of one 2:1 split of pure noise by a ridge regression; the seed deals the patients."""
    rng = np.random.default_rng(permutation)
    names = np.array([f"P{i:02d}" for i in range(45)])
    outcome = Outcome("y", "binary", pd.Series(rng.permutation(np.arange(45) % 2), index=names))
    design = Design(
        pd.DataFrame(rng.normal(size=(45, 10))).set_axis([f"f{i}" for i in range(10)], axis=1), names, outcome
    )
    split = outer_splits(outcome.values, folds=3, repeats=1, seed=seed)[0]
    spec = ModelSettings(name="ridge", estimator="logistic", settings={"C": 1.0}, steps=["impute", "scale"])
    settings = ValidateSettings(folds=3, repeats=1, threshold=0.5)
    return evaluate_fold(spec, design, split, build=build, settings=settings, seed=1).auc


def test_the_best_of_many_seeds_looks_like_signal() -> None:
    """L7 planted: of 15 ways to split pure noise the best shows an AUC well above one half, their mean does not."""
    areas = np.array([[_noise_auc(permutation, seed) for seed in range(15)] for permutation in range(6)])
    assert areas.max(axis=1).mean() > 0.65
    assert abs(areas.mean() - 0.5) < 0.06
