"""How well each model tells ATC/PDTC from each kind of differentiated carcinoma."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from isthmus.study.recipes.atc_pdtc.groups import AGAINST, CASE, members
from isthmus.study.recipes.atc_pdtc.published import SUBTYPE_AUC
from isthmus.validate.performance import performance
from isthmus.validate.settings import ValidateSettings

__all__ = ["subtypes"]


def subtypes(
    predictions: pd.DataFrame,
    thresholds: pd.DataFrame,
    histology: pd.Series[Any],
    *,
    settings: ValidateSettings,
    seed: int,
) -> pd.DataFrame:
    """AUC of the same out-of-fold predictions, of ATC/PDTC and one other group at a time.

    Returns
    -------
    DataFrame
        model, against, metric (auc: the mean of the fold AUCs; auc_pooled), patients, estimate, lower, upper, method, published.
    """
    held_out = predictions[predictions["split"] == "cv"]
    groups = members(histology)
    parts = []
    for against in AGAINST:
        inside = set(histology.index[groups[CASE] | groups[against]])
        part = held_out[held_out["patient"].isin(inside)]
        found = performance(part, thresholds, settings=settings, seed=seed)
        found = found[found["metric"].isin(["auc", "auc_pooled"])]
        parts.append(found.assign(against=against, patients=part["patient"].nunique()))
    table = pd.concat(parts, ignore_index=True)
    printed = [
        SUBTYPE_AUC.get((model, against), np.nan) if metric == "auc" else np.nan
        for model, against, metric in zip(table["model"], table["against"], table["metric"], strict=True)
    ]
    table["published"] = printed
    return table[["model", "against", "metric", "patients", "estimate", "lower", "upper", "method", "published"]]
