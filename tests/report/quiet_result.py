"""A result in memory with round numbers: 200 training and 200 external patients, two models, nothing to warn about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from isthmus.study.result import Result

METRICS = {
    "auc": (0.85, 0.80, 0.90),
    "sensitivity": (0.80, 0.72, 0.87),
    "specificity": (0.75, 0.66, 0.82),
    "calibration_slope": (1.0, 0.8, 1.2),
}


def quiet_result(folder: Path) -> Result:
    """Every patient i has outcome i % 2 and, by every model, probability 0.25 + 0.5 * (i % 2)."""
    numbers = np.arange(400)
    cases = pd.DataFrame(
        {
            "row": numbers,
            "patient": [f"P{i:03d}" for i in numbers],
            "centre": np.where(numbers < 200, "A", "B"),
            "split": np.where(numbers < 200, "train", "external"),
            "status": "included",
            "step": "",
            "reason": "",
            "outcome": numbers % 2,
        }
    )
    parts = []
    for model in ("one", "two"):
        for split, source in (("train", "train"), ("cv", "train"), ("external", "external")):
            part = cases.loc[cases["split"] == source, ["patient", "outcome"]].assign(model=model, split=split)
            position = np.arange(len(part))
            part["repeat"] = 0.0 if split == "cv" else np.nan
            part["fold"] = (position // 2 % 5).astype(float) if split == "cv" else np.nan
            parts.append(part.assign(probability=0.25 + 0.5 * (part["outcome"] == 1)))
    metrics = [
        (model, split, metric, *values, "a method")
        for model in ("one", "two")
        for split in ("train", "cv", "external")
        for metric, values in METRICS.items()
    ]
    thresholds = [(model, np.nan, np.nan, 0.5) for model in ("one", "two")]
    selected = [("one", "f1", 1.0, 0.7, np.nan), ("one", "f2", 0.4, -0.2, np.nan), ("two", "f1", 0.9, np.nan, 12.0)]
    null = [("one", 0.85, 0.5, 0.42, 0.58, 0.001, 0.003, 200, "no leak seen; above what permuted outcomes give")]
    return Result(
        folder=folder,
        plan={
            "cohort": {"outcome": "lymph_nodes"},
            "models": [
                {"name": "one", "blocks": ["ct"], "estimator": "lasso"},
                {"name": "two", "estimator": "lightgbm"},
            ],
            "validate": {"confidence": 0.95, "seed": 3, "decision_curve": {"lowest": 0.1, "highest": 0.3}},
            "report": {"final": "one"},
        },
        provenance={"seed": 3},
        cases=cases,
        predictions=pd.concat(parts, ignore_index=True),
        thresholds=pd.DataFrame(thresholds, columns=["model", "repeat", "fold", "threshold"]),
        metrics=pd.DataFrame(metrics, columns=["model", "split", "metric", "estimate", "lower", "upper", "method"]),
        comparisons=pd.DataFrame(),
        selected=pd.DataFrame(selected, columns=["model", "feature", "frequency", "coefficient", "importance"]),
        blocks={"ct": pd.DataFrame({"column": ["f1", "f2"]})},
        tables={
            "null_study": pd.DataFrame(
                null,
                columns=[
                    "model",
                    "auc",
                    "null_mean",
                    "null_lower",
                    "null_upper",
                    "p",
                    "mcse",
                    "permutations",
                    "verdict",
                ],
            ),
            "join": pd.DataFrame({"block": ["ct"], "patients": [400], "missing": [0]}),
        },
        acquisition=pd.DataFrame(),
    )


def with_metric(result: Result, split: str, metric: str, **values: Any) -> Result:
    """The same result with one estimate of the final model changed."""
    metrics = result.metrics.copy()
    where = (metrics["model"] == "one") & (metrics["split"] == split) & (metrics["metric"] == metric)
    for name, value in values.items():
        metrics.loc[where, name] = value
    return replace(result, metrics=metrics)


def without_split(result: Result, split: str) -> Result:
    """The same result without one split."""
    return replace(
        result,
        metrics=result.metrics[result.metrics["split"] != split],
        predictions=result.predictions[result.predictions["split"] != split],
        cases=result.cases[result.cases["split"] != split],
    )


def with_null(result: Result, **values: Any) -> Result:
    """The same result with the null study's row changed."""
    return replace(result, tables=result.tables | {"null_study": result.tables["null_study"].assign(**values)})
