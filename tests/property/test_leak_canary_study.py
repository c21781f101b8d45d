"""The canary once more, for two models, from the table to the run folder: a fold must not depend on its test rows.

Half of a fold's test patients are overwritten in the case table. That fold's thresholds and tuning, and its predictions of the
other half, must stay the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.study.plan import Plan
from isthmus.study.run import run_study

NUMBERS = [f"x{n}" for n in range(5)]
PLAN = """
[cohort]
table = "cases.csv"
outcome = "outcome"

[clinical]
columns = ["x0", "x1", "x2", "x3", "x4", "sex"]

[[models]]
name = "selected"
estimator = "logistic"
settings = { C = 1.0 }
steps = ["impute", "encode", "variance", "scale", "correlation", { name = "univariate", k = 4 }, "lasso"]
tuning = { "univariate.k" = [2, 4] }

[[models]]
name = "boosted"
estimator = "lightgbm"
settings = { rounds = 10 }
tuning = { leaves = [2, 5] }

[validate]
folds = 3
repeats = 1
inner_folds = 3
bootstrap = 100

[audit]
permutations = 0
"""
FOLD = "1"


def cases() -> pd.DataFrame:
    """45 patients, gaps, a category, two columns that say nearly the same."""
    rng = np.random.default_rng(8)
    table = pd.DataFrame(rng.standard_normal((45, 5)), columns=NUMBERS)
    table["outcome"] = (1.5 * table["x0"] + rng.standard_normal(45) > 0).astype(int)
    table["x3"] = table["x2"] + 0.3 * table["x3"]
    table["sex"] = rng.choice(["f", "m"], 45)
    table.loc[::7, "x4"] = np.nan
    return table.assign(patient=[f"P{n:02d}" for n in range(45)], centre="A")


def run(folder: Path, table: pd.DataFrame) -> Path:
    folder.mkdir()
    table.to_csv(folder / "cases.csv", index=False)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    run_study(Plan.read(folder / "plan.toml"), folder / "run", workers=1)
    return folder / "run"


def of_fold(folder: Path, name: str) -> pd.DataFrame:
    """The rows of the fold, every cell as the text that was written."""
    table = pd.read_csv(folder / name, dtype=str)
    return table[table["fold"] == FOLD].reset_index(drop=True)


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Path, Path, set[str]]:
    """The run, the run with half of the fold's test patients overwritten, and who they are."""
    home = tmp_path_factory.mktemp("canary")
    table = cases()
    clean = run(home / "clean", table)
    members = sorted(set(of_fold(clean, "predictions.csv")["patient"]))
    noisy = set(members[::2])
    rows = table["patient"].isin(noisy)
    table.loc[rows, NUMBERS] = np.random.default_rng(9).normal(1e3, 1e4, (rows.sum(), 5))
    table.loc[rows, "sex"] = "unknown"
    return clean, run(home / "noisy", table), noisy


def tables(pair: tuple[Path, Path, set[str]]) -> list[pd.DataFrame]:
    return [of_fold(folder, "predictions.csv") for folder in pair[:2]]


@pytest.mark.parametrize("name", ["tables/thresholds.csv", "tables/tuning.csv"])
def test_what_the_fold_learned_is_the_same(name, pair):
    """L1, L2, L5, L6: threshold and tuning of the fold do not see its test rows."""
    pd.testing.assert_frame_equal(of_fold(pair[0], name), of_fold(pair[1], name))


def test_the_other_test_patients_keep_their_predictions(pair):
    """The fold's models are the same bits: every test patient left alone gets the same probability, as text."""
    left = [table[~table["patient"].isin(pair[2])] for table in tables(pair)]
    pd.testing.assert_frame_equal(*left)


def test_the_noise_arrived(pair):
    """The canary can sing: the overwritten patients' own predictions did change."""
    clean, noisy = (table[table["patient"].isin(pair[2])] for table in tables(pair))
    assert (clean["probability"] != noisy["probability"]).mean() > 0.9
