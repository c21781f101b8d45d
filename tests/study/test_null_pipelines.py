"""The null study over every method: on two small real tables with permuted outcomes each pipeline shows an AUC of 0.5.

About 55 pipelines: every estimator with its default steps, and every step, resampler, map and search once, in front of a ridge regression. Permuting keeps
the tables' correlations, scales and outliers, which drawn noise does not have. The statistic is the mean of the fold AUCs, over tables and
permutations; a pipeline passes when it is within three Monte-Carlo standard errors of one half. The same plans made leaky on purpose must fail by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus import models
from isthmus.models.settings import ModelSettings
from isthmus.stats.seeds import child_seed
from isthmus.table import Outcome
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.null_study import null_outcome
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import STEPS, build

pytestmark = pytest.mark.slow

TABLES = ("Fusco2022", "HNSCC")
PERMUTATIONS = 10
COLUMNS = 60  # drawn from each table, so that fifty pipelines take minutes and not hours
SETTINGS = ValidateSettings(folds=5, repeats=1, inner_folds=3)
RIDGE: dict[str, Any] = {"estimator": "logistic", "settings": {"C": 0.1}}
FRONT, BACK = ["impute", "variance"], ["scale"]

Leak = Callable[[pd.DataFrame, np.ndarray], pd.DataFrame]  # type: ignore[type-arg]


def with_step(step: str | dict[str, Any]) -> ModelSettings:
    return ModelSettings(name=str(step), steps=[*FRONT, *BACK, step], **RIDGE)  # type: ignore[arg-type]


def estimators() -> dict[str, ModelSettings]:
    """Every binary estimator with the steps it gets by default, small where it is slow."""
    quick = {
        "random_forest": {"trees": 60},
        "extra_trees": {"trees": 60},
        "quantile_forest": {"trees": 60},
        "lightgbm": {"rounds": 40},
    }
    members = [{"estimator": "naive_bayes"}, {"estimator": "lasso"}]
    for name in ("voting", "stacking"):
        quick[name] = {"members": members}  # type: ignore[dict-item]
    return {
        name: ModelSettings(name=name, estimator=name, settings=quick.get(name, {}))
        for name, made in models.ESTIMATORS.items()
        if "binary" in getattr(made, "tasks", {"binary"})
    }


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> dict[str, tuple[pd.DataFrame, Outcome]]:
    found = {}
    for name in TABLES:
        frame = pd.read_csv(shared_data / "radmlbench" / f"{name}.csv.gz")
        patients = pd.Index(frame["ID"].astype(str))
        columns = np.random.default_rng(1).permutation([c for c in frame.columns if c not in ("ID", "Target")])[
            :COLUMNS
        ]
        X = frame[sorted(columns)].astype(float).set_axis(patients)
        y = frame["Target"].astype(str).isin(["1", "True"]).astype(int).set_axis(patients)
        found[name] = X, Outcome("Target", "binary", y)
    return found


def null_aucs(
    spec: ModelSettings, tables: dict[str, tuple[pd.DataFrame, Outcome]], leak: Leak | None = None
) -> np.ndarray:  # type: ignore[type-arg]
    """The mean fold AUC of each table and permutation."""
    found = []
    for name, (X, outcome) in tables.items():
        for permutation in range(PERMUTATIONS):
            null = null_outcome(outcome, None, permutation, seed=17)
            seen = X if leak is None else leak(X, null.array(X.index))
            splits = outer_splits(null.values, folds=5, repeats=1, seed=child_seed(17, name, permutation))
            made = Design(seen, seen.index.to_numpy(), null)
            results = [
                evaluate_fold(spec, made, split, build=build, settings=SETTINGS, seed=split.fold) for split in splits
            ]
            found.append(np.mean([result.auc for result in results]))
    return np.array(found)


def beyond(found: np.ndarray) -> float:  # type: ignore[type-arg]
    """How many Monte-Carlo standard errors the mean lies above one half."""
    return float((found.mean() - 0.5) / (found.std(ddof=1) / np.sqrt(len(found))))


@pytest.mark.parametrize("spec", estimators().values(), ids=lambda spec: spec.name)
def test_every_estimator_finds_nothing_where_there_is_nothing(spec: ModelSettings, tables: Any) -> None:
    """Within three Monte-Carlo standard errors of 0.5."""
    assert abs(beyond(null_aucs(spec, tables))) < 3


def test_a_table_of_leaks() -> None:
    """See below."""
