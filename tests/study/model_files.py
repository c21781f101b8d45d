"""Small fitted models without a study around them, for tests of the model file."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from isthmus import models
from isthmus.models.settings import ModelSettings
from isthmus.study.evaluate import BUILD
from isthmus.study.manifest import make_manifest
from isthmus.study.model import Model, make_model
from isthmus.study.plan import Plan
from validate.drawn import QUICK

__all__ = ["rows", "small_model"]


def rows(n: int = 60, p: int = 4, seed: int = 7) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Patients with a number missing here and there, and their outcome (0, 1)."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, p)), columns=[f"f{j}" for j in range(p)])
    X.index = pd.Index([f"P{i:03d}" for i in range(n)], name="patient")
    y = (X["f0"] + X["f1"] + 0.7 * rng.logistic(size=n) > 0).astype(int).to_numpy()
    X = X.assign(male=np.arange(n) % 2.0)
    X.iloc[3, 1] = np.nan
    return X, y


@functools.cache
def small_model(estimator: str = "logistic", *steps: str) -> Model:
    """A binary model of a feature table, fitted on `rows()`. Do not change it."""
    told: dict[str, Any] = {"settings": QUICK.get(estimator, {}), **({"steps": list(steps)} if steps else {})}
    X, y = rows()
    plan = Plan.parse(
        {
            "table": {"path": "t.csv", "id": "patient", "outcome": "y"},
            "models": [{"name": "m", "estimator": estimator, **told}],
            "validate": {"bootstrap": 100},
        }
    )
    spec = ModelSettings(name="m", estimator=estimator, **told)
    pipeline = BUILD(spec, X, seed=3).fit(X, y)
    manifest = make_manifest(
        plan=plan, model="m", X=X, outcome={"name": "y", "task": "binary", "classes": ["0", "1"]},
        training={
            "patients": len(y), "events": int(y.sum()), "prevalence": float(y.mean()),
            "classes": {"0": int((1 - y).sum()), "1": int(y.sum())}, "centres": ["A"],
        },
        threshold=0.5, performance=pd.DataFrame({"model": ["m"], "metric": ["auc"], "estimate": [0.8]}), version="test",
    )  # fmt: skip
    return make_model(manifest, pipeline, X, X.index, "# card\n")


def estimators() -> list[str]:
    return sorted(models.estimators_of("binary"))
