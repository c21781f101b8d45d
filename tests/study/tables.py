"""Small studies for tests: a ready feature table with a planted signal, and its plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

PLAN = """
[table]
path = "features.csv"
id = "patient"
outcome = "outcome"
centre = "centre"

[[models]]
name = "lasso"
estimator = "lasso"

[[models]]
name = "trees"
estimator = "lightgbm"
settings = { rounds = 20 }

[validate]
folds = 3
repeats = 2
inner_folds = 3
bootstrap = 200
external = { centre = ["B"] }

[audit]
permutations = 2
"""


def feature_table(patients: int = 60, features: int = 8, signal: float = 2.0, seed: int = 0) -> pd.DataFrame:
    """Patients of two centres; the first feature carries the outcome."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((patients, features))
    outcome = (signal * values[:, 0] + rng.standard_normal(patients) > 0).astype(int)
    table = pd.DataFrame(values, columns=[f"x{n}" for n in range(features)])
    table.insert(0, "patient", [f"P{n:03d}" for n in range(patients)])
    table.insert(1, "centre", np.where(np.arange(patients) % 3 == 2, "B", "A"))
    table.insert(2, "outcome", outcome)
    return table


def write_study(folder: Path, table: pd.DataFrame | None = None, plan: str = PLAN) -> Path:
    """Write `features.csv` and `plan.toml`; the path of the plan."""
    folder.mkdir(parents=True, exist_ok=True)
    (feature_table() if table is None else table).to_csv(folder / "features.csv", index=False)
    path = folder / "plan.toml"
    path.write_text(plan, encoding="utf-8")
    return path
