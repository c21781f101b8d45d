"""Decisions of each model: at the training prevalence, at Youden's threshold of the training rows, and as published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.stats.roc import averaged_roc
from isthmus.study.recipes.atc_pdtc.published import MEASURES
from isthmus.validate.performance import performance
from isthmus.validate.settings import ValidateSettings

__all__ = ["operating_points"]

_MEASURES = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "g_mean")


def operating_points(
    predictions: pd.DataFrame, thresholds: pd.DataFrame, *, settings: ValidateSettings, seed: int
) -> pd.DataFrame:
    """Sensitivity and its relatives of each model by each rule, on patients the model had not seen.

    Parameters
    ----------
    predictions : DataFrame
        Of the run; the `cv` rows are used.
    thresholds : DataFrame
        model, repeat, fold, and one column a rule: `prevalence`, `youden`, each from training rows alone.
    settings, seed
        As for `performance`.

    Returns
    -------
    DataFrame
        model, rule, honest, metric, estimate, lower, upper, published. The rule "as published" is Youden's point of the averaged
        test curve, chosen and judged on the same patients: optimistic, without an interval, and drawn once.
    """
    held_out = predictions[predictions["split"] == "cv"]
    parts = []
    for rule in ("prevalence", "youden"):
        table = thresholds.assign(threshold=thresholds[rule])[["model", "repeat", "fold", "threshold"]]
        found = performance(held_out, table, settings=settings, seed=seed)
        parts.append(found[found["metric"].isin([*_MEASURES, "threshold"])].assign(rule=rule, honest=True))
    rows: list[dict[str, Any]] = []
    for model, part in held_out.groupby("model", sort=False):
        for metric, value in _on_the_test_curve(part).items():
            rows.append({"model": model, "rule": "as published", "honest": False, "metric": metric, "estimate": value})
    table = pd.concat([*parts, pd.DataFrame(rows)], ignore_index=True)
    printed = [MEASURES.get(m, {}).get(k, np.nan) for m, k in zip(table["model"], table["metric"], strict=True)]
    return table.assign(published=printed)[
        ["model", "rule", "honest", "metric", "estimate", "lower", "upper", "published"]
    ]


def _on_the_test_curve(part: pd.DataFrame) -> dict[str, float]:
    """The point of the averaged curve with the largest sensitivity + specificity."""
    folds = [
        (fold["outcome"].to_numpy(), fold["probability"].to_numpy()) for _, fold in part.groupby(["repeat", "fold"])
    ]
    curve = averaged_roc(folds)
    best = int(np.argmax(curve.tpr - curve.fpr))
    sensitivity, specificity = float(curve.tpr[best]), float(1 - curve.fpr[best])
    share = float(part.drop_duplicates("patient")["outcome"].mean())
    tp, tn = share * sensitivity, (1 - share) * specificity
    fp, fn = (1 - share) - tn, share - tp
    return {
        "sensitivity": sensitivity, "specificity": specificity, "ppv": tp / (tp + fp) if tp + fp else np.nan,
        "npv": tn / (tn + fn) if tn + fn else np.nan, "accuracy": tp + tn, "g_mean": float(np.sqrt(sensitivity * specificity)),
    }  # fmt: skip
