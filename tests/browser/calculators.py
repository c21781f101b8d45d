"""Calculators of small fitted models: a table of patients whose truth is known, a pipeline, its model file and the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.errors import TableError
from isthmus.explain.nomogram import nomogram_of
from isthmus.models.settings import ModelSettings
from isthmus.report.calculator import write_calculator
from isthmus.stats.nomogram import Nomogram
from isthmus.stats.recalibration import Recalibration
from isthmus.study.evaluate import BUILD
from isthmus.study.manifest import make_manifest
from isthmus.study.model import Model, make_model
from isthmus.study.nomogram import dictionary, nomogram_table
from isthmus.study.plan import Plan
from isthmus.table.target import time_to_event
from report.quiet_result import quiet_result

__all__ = ["COLUMNS", "Made", "make", "patients"]

COLUMNS: dict[str, Any] = {
    "age": {"unit": "years", "range": [0, 120], "label": "Age"},
    "tg": {"type": "number", "unit": "ng/mL", "label": "Thyroglobulin"},
    "invasion": {"type": "yes/no", "label": "Invasion of the capsule"},
    "site": {"levels": ["isthmus", "left", "right"], "label": "Side"},
}
"""What the plan's dictionary says of the clinical columns."""


def patients(rows: int, seed: int, *, gaps: float = 0.1, wild: bool = False) -> pd.DataFrame:
    """Clinical columns and an image feature; `wild` ones lie beyond all training values and have categories nobody had."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "clinical.age": rng.normal(55, 14, rows).round(),
            "clinical.tg": rng.lognormal(3, 1.5, rows),
            "clinical.invasion": rng.integers(0, 2, rows).astype(float),
            "clinical.site": rng.choice(["left", "right", "isthmus", *(["elsewhere", "Left"] if wild else [])], rows),
            "ct.original_firstorder_Entropy": rng.normal(4, 0.7, rows),
            "ct.noise": rng.normal(size=rows),
        }
    )
    if wild:
        numbers = ["clinical.age", "clinical.tg", "ct.original_firstorder_Entropy"]
        X[numbers] *= rng.choice([-1.0, 0.0, 1e-9, 1.0, 1.0, 3.0], (rows, 3))
    for column in X.columns:
        X.loc[rng.random(rows) < gaps, column] = None if column == "clinical.site" else np.nan
    return X


def _log_odds(X: pd.DataFrame) -> pd.Series[float]:
    size, image = np.log1p(X["clinical.tg"].fillna(20)), X["ct.original_firstorder_Entropy"].fillna(4)
    side = (X["clinical.site"] == "left") + X["clinical.invasion"].fillna(0)
    return 0.05 * (X["clinical.age"].fillna(55) - 55) + 0.5 * (size - 3) - (image - 4) + side - 1.0


@dataclass(frozen=True)
class Made:
    """A calculator, and what it must agree with."""

    page: Path
    reason: str
    model: Model
    nomogram: Nomogram | None
    X: pd.DataFrame


def make(
    folder: Path,
    estimator: str = "logistic",
    steps: Any = ("impute", "encode", "scale"),
    *,
    settings: dict[str, Any] | None = None,
    recalibration: Recalibration | None = None,
    X: pd.DataFrame | None = None,
    threshold: float = 0.3,
    rows: int = 1,
) -> Made:
    """Fit a model, write its file into a result that has nothing else to say, and the page beside it."""
    X = patients(200, 3) if X is None else X
    rng = np.random.default_rng(5)
    eta = _log_odds(X).to_numpy() if "clinical.age" in X else np.linspace(-2.0, 2.0, len(X))
    timed = estimator in ("cox", "lasso_cox")
    spec = {"name": "one", "estimator": estimator, "steps": list(steps), "settings": settings or {}}
    pipeline = BUILD(ModelSettings.model_validate(spec), X, seed=1)
    if timed:
        time, limit = rng.exponential(np.exp(-eta) * 20), rng.uniform(5, 60, len(X))
        pipeline = pipeline.with_settings({"horizon": 24.0})
        pipeline.fit(X, time_to_event((time <= limit).astype(int), np.minimum(time, limit)))
    else:
        pipeline.fit(X, (rng.random(len(X)) < 1 / (1 + np.exp(-eta))).astype(int))
    pipeline.recalibration = recalibration
    result = quiet_result(folder)
    plan = Plan.parse(
        {
            "table": {"path": "table.csv", "id": "ID", "outcome": "metastasis"},
            "clinical": {"table": "clinical.csv", "id": "ID", "columns": COLUMNS},
            "models": [{"name": "one", "estimator": "logistic", "blocks": ["clinical"]}],
        }
    )
    outcome = {"name": "metastasis", "task": "survival" if timed else "binary", "classes": ["M0", "M1"]}
    training = {
        "patients": len(X) // rows,
        "events": 80,
        "prevalence": 0.4,
        "classes": {"M0": 120, "M1": 80},
        "centres": ["A"],
    }
    manifest = make_manifest(
        plan=plan, model="one", X=X, outcome=outcome, training=training, threshold=threshold,
        performance=result.metrics, version="0", cuts=(0.1,), horizon=24.0 if timed else None,
    )  # fmt: skip
    make_model(manifest, pipeline, X, np.arange(len(X))).save(folder / "model.isthmus")
    nomogram = None
    if not timed:
        try:
            nomogram = nomogram_of(pipeline, X)
            result.tables["nomogram_one"] = nomogram_table(nomogram, dictionary(plan))
        except TableError:
            pass
    blocks = {"ct": pd.DataFrame({"column": ["noise"]})}
    made = write_calculator(replace(result, blocks=blocks), folder)
    return Made(folder / "calculator.html", made.reason, Model.load(folder / "model.isthmus"), nomogram, X)
