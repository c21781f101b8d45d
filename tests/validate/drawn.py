"""Small designs with a known signal, drawn for the tests of the learning half."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus import deep, habitat, harmonise, models, select
from isthmus.deep import Crops
from isthmus.habitat import NAMES, SupervoxelTable
from isthmus.table import Outcome
from isthmus.table.steps import Step
from isthmus.validate.nested import Design

STEPS = {**habitat.STEPS, **deep.STEPS, **models.STEPS, **harmonise.STEPS, **select.STEPS}
QUICK: dict[str, dict] = {
    "lasso": {"n_lambdas": 10},
    "elastic_net": {"n_lambdas": 10},
    "random_forest": {"trees": 10},
    "quantile_forest": {"trees": 30, "mtry": "sqrt", "tuning_trees": 5},
    "extra_trees": {"trees": 10},
    "lightgbm": {"rounds": 20, "min_leaf": 2},
    "xgboost": {"rounds": 10, "min_weight": 0.5, "feature_share": 1.0, "learning_rate": 0.3},
    "catboost": {"rounds": 10, "feature_share": 1.0, "learning_rate": 0.3},
    "knn": {"neighbours": 3},
    "mlp": {"epochs": 20, "learning_rate": 0.1, "patience": 5},
    "voting": {"members": ["naive_bayes", {"name": "random_forest", "trees": 5}]},
    "stacking": {"members": ["naive_bayes", {"name": "decision_tree", "min_leaf": 2}], "folds": 2},
    "best_of": {"members": ["naive_bayes", {"name": "decision_tree", "min_leaf": 20}], "folds": 3},
}
"""Settings that make an estimator quick, for tests of what does not hang on them."""

build = functools.partial(models.build, steps=STEPS)


@functools.cache
def repeats_file() -> str:
    """A table of repeats of 40 patients outside any study: features a to f, and f0 to f7; d and f7 never come out again."""
    rng = np.random.default_rng(17)
    names = [*"abcdef", *(f"f{index}" for index in range(8))]
    truth = rng.normal(size=(40, len(names)))
    noise = np.array([3.0 if name in ("d", "f7") else 0.1 for name in names])
    parts = [
        pd.DataFrame(truth + noise * rng.normal(size=truth.shape), columns=names).assign(
            patient=[f"outside{index}" for index in range(40)], repeat=repeat, outside="true"
        )
        for repeat in ("one", "two", "three")
    ]
    path = Path(tempfile.mkdtemp()) / "repeats.csv"
    pd.concat(parts).to_csv(path, index=False)
    return str(path)


@functools.cache
def supervoxel_tables(patients: int) -> tuple[SupervoxelTable, ...]:
    """Supervoxels of patients: two tissues, in a chain."""
    rng = np.random.default_rng(23)
    found = []
    for patient in range(patients):
        n = int(rng.integers(8, 14))
        values = rng.lognormal(0, 0.4, (n, len(NAMES))) + 3 * (rng.random(n) < 0.5)[:, None]
        chain = np.array([[place, place + 1, 12] for place in range(n - 1)])
        found.append(SupervoxelTable(f"p{patient}", values, rng.integers(100, 500, n).astype(float), contacts=chain))
    return tuple(found)


@functools.cache
def drawn_crops(patients: int) -> tuple[Crops, ...]:
    """One or two crops of 16 pixels of each patient: noise."""
    rng = np.random.default_rng(29)
    return tuple(
        Crops(f"p{patient}", rng.random((1 + patient % 2, 16, 16)).astype(np.float16)) for patient in range(patients)
    )


def made(name: str, **settings: Any) -> Step:
    """The step, with the settings it cannot do without."""
    needed: dict[str, Any] = {"reliability": {"repeats": repeats_file()}}.get(name, {})
    return STEPS[name](**{**needed, **settings})


def design(rng: np.random.Generator, *, n: int = 60, p: int = 8, signal: float = 2.0, rows: int = 1) -> Design:
    """`n` patients with `rows` rows each; the first two columns carry the signal, the others are noise."""
    patients = np.array([f"P{index:03d}" for index in range(n)])
    events = (np.arange(n) % 3 == 0).astype(int)
    own = rng.normal(size=(n, p))
    own[:, :2] += signal * (events[:, None] - 0.5)
    values = np.repeat(own, rows, axis=0) + (0.1 * rng.normal(size=(n * rows, p)) if rows > 1 else 0.0)
    X = pd.DataFrame(values, columns=[f"f{index}" for index in range(p)])
    outcome = Outcome("metastasis", "binary", pd.Series(events, index=patients))
    return Design(X, np.repeat(patients, rows), outcome)
