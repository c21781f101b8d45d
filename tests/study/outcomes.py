"""Small feature tables of other outcomes than binary ones, with a planted signal, and the plans that study them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["VALIDATE", "class_table", "document", "survival_table"]

VALIDATE = {"folds": 3, "repeats": 1, "inner_folds": 3, "bootstrap": 100, "external": {"centre": ["B"]}}


def _features(n: int, p: int, seed: int) -> tuple[pd.DataFrame, np.random.Generator]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, p)), columns=[f"f{j}" for j in range(p)])
    X.insert(0, "ID", [f"P{i:03d}" for i in range(n)])
    X.insert(1, "centre", np.where(np.arange(n) % 4 == 0, "B", "A"))
    return X, rng


def survival_table(n: int = 100, p: int = 5, seed: int = 5) -> pd.DataFrame:
    """Times that `f0` and `f1` shorten, a third of them censored."""
    X, rng = _features(n, p, seed)
    time = np.round(30 * rng.exponential(np.exp(-1.0 * X["f0"] - 0.8 * X["f1"])), 1) + 0.1
    stop = np.round(80 * rng.uniform(size=n), 1) + 1
    return X.assign(time=np.minimum(time, stop), event=(time <= stop).astype(int))


def class_table(n: int = 100, p: int = 5, seed: int = 5) -> pd.DataFrame:
    """Three stages that rise with `f0` and `f1`."""
    X, rng = _features(n, p, seed)
    score = X["f0"] + X["f1"] + 0.5 * rng.logistic(size=n)
    return X.assign(stage=np.array(["I", "II", "III"])[np.digitize(score, [-0.8, 0.8])])


def document(folder: Path, task: str, **sections: Any) -> dict[str, Any]:
    """A plan of a table that is written into `folder`."""
    table = survival_table() if task == "survival" else class_table()
    table.to_csv(folder / "table.csv", index=False)
    source: dict[str, Any] = {"path": "table.csv", "id": "ID", "centre": "centre", "task": task}
    validate = dict(VALIDATE)
    if task == "survival":
        source |= {"outcome": "event", "time": "time"}
        validate |= {"horizon": 20.0, "times": [10.0]}
        models = [{"name": "lasso", "estimator": "lasso_cox", "settings": {"n_lambdas": 10}}]
        models += [{"name": "plain", "estimator": "cox"}]
    else:
        source |= {"outcome": "stage"} | ({"order": ["I", "II", "III"]} if task == "ordinal" else {})
        first = "proportional_odds" if task == "ordinal" else "multinomial"
        models = [{"name": "linear", "estimator": first}]
        models += [{"name": "boosted", "estimator": "lightgbm", "settings": {"rounds": 10}}]
    plan = {"table": source, "validate": validate, "models": models, "audit": {"permutations": 2}}
    if task != "multiclass":
        plan["explain"] = {"models": [model["name"] for model in models], "permutations": 2, "passes": 1}
    return {**plan, **sections}
