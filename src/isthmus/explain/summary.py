"""What the folds say together: size, spread and stability of what each feature contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from isthmus.stats.corrected import corrected_interval

__all__ = ["features", "groups", "overview", "values"]

Fold = Mapping[str, Any]
_TOP = 10


def _sizes(folds: Sequence[Fold]) -> pd.DataFrame:
    """Mean absolute Shapley value of each feature (row) in each fold (column); 0 where a fold did not use it."""
    columns = [dict(zip(fold["features"], np.abs(np.array(fold["shap"])).mean(axis=0), strict=True)) for fold in folds]
    return (
        pd.DataFrame(columns).T.fillna(0.0).astype(float) if any(columns) else pd.DataFrame(columns=range(len(folds)))
    )


def features(folds: Sequence[Fold], clusters: Mapping[str, int], *, ratio: float, confidence: float) -> pd.DataFrame:
    """One row a feature, the largest first.

    Parameters
    ----------
    folds : sequence
        What `explain_fold` gave.
    clusters : dict
        Feature -> group of correlated features; a feature without one is alone.
    ratio : float
        Test over training patients, for the interval of the importance (Nadeau and Bengio).
    confidence : float

    Returns
    -------
    DataFrame
        feature, group, mean_abs and sd (over folds), rank (median), top (share of folds among the first ten), importance, lower,
        upper (loss of AUC when shuffled; 0 in a fold that did not use it).
    """
    sizes = _sizes(folds)
    ranks = sizes.rank(ascending=False, method="average")
    rows = []
    for name in sizes.index:
        lost = [_importance(fold, name) for fold in folds]
        interval = corrected_interval(np.array(lost), test_train_ratio=ratio, confidence=confidence)
        spread = sizes.loc[name]
        rows.append(
            {
                "feature": name,
                "group": clusters.get(name, pd.NA),
                "mean_abs": float(spread.mean()),
                "sd": float(spread.std(ddof=1)) if len(folds) > 1 else np.nan,
                "rank": float(ranks.loc[name].median()),
                "top": float(((ranks.loc[name] <= _TOP) & (spread > 0)).mean()),
                "importance": interval.estimate,
                "lower": interval.lower,
                "upper": interval.upper,
            }
        )
    columns = ["feature", "group", "mean_abs", "sd", "rank", "top", "importance", "lower", "upper"]
    table = pd.DataFrame(rows, columns=columns).astype({"group": "Int64"})
    return table.sort_values(["mean_abs", "feature"], ascending=[False, True], kind="stable", ignore_index=True)


def _importance(fold: Fold, name: str) -> float:
    if name not in fold["features"]:
        return 0.0
    value = fold["importance"][fold["features"].index(name)]
    return np.nan if value is None else float(value)


def groups(
    folds: Sequence[Fold], clusters: Mapping[str, int], families: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """The size of the sum of Shapley values over features that belong together.

    Parameters
    ----------
    folds : sequence
    clusters : dict
        Feature -> group of correlated features; groups of more than one are listed.
    families : dict, optional
        Family -> its features; those of which a fold used one are listed.

    Returns
    -------
    DataFrame
        kind (correlated, family), group, features (of a family those used), mean_abs and sd (over folds) of the absolute sum;
        the largest first within a kind.
    """
    members: dict[tuple[str, str], list[str]] = {}
    for name, group in clusters.items():
        members.setdefault(("correlated", str(group)), []).append(name)
    members = {key: names for key, names in members.items() if len(names) > 1}
    used = {name for fold in folds for name in fold["features"]}
    for family, names in (families or {}).items():
        there = [name for name in names if name in used]
        if there and len(names) > 1:
            members["family", family] = there
    rows = []
    for (kind, label), names in members.items():
        sums = [_sum(fold, set(names)) for fold in folds]
        spread = float(np.std(sums, ddof=1)) if len(sums) > 1 else np.nan
        rows.append((kind, label, "; ".join(names), float(np.mean(sums)), spread))
    table = pd.DataFrame(rows, columns=["kind", "group", "features", "mean_abs", "sd"])
    order = ["kind", "mean_abs", "group"]
    return table.sort_values(order, ascending=[True, False, True], kind="stable", ignore_index=True)


def _sum(fold: Fold, names: set[str]) -> float:
    inside = [place for place, name in enumerate(fold["features"]) if name in names]
    return float(np.abs(np.array(fold["shap"])[:, inside].sum(axis=1)).mean()) if inside else 0.0


def overview(model: str, folds: Sequence[Fold]) -> dict[str, Any]:
    """One line a model: scale, method, the largest error of additivity, and how stable the order of features is.

    `rank_stability` is the mean Spearman correlation of the sizes between pairs of folds, over features any fold used.
    """
    sizes = _sizes(folds)
    pairs = [
        float(stats.spearmanr(sizes.iloc[:, a], sizes.iloc[:, b]).statistic)
        for a in range(len(folds))
        for b in range(a)
        if len(sizes) > 1 and np.ptp(sizes.iloc[:, a]) > 0 and np.ptp(sizes.iloc[:, b]) > 0
    ]
    return {
        "model": model,
        "scale": folds[0]["scale"],
        "method": folds[0]["method"],
        "folds": len(folds),
        "features": len(sizes),
        "additivity_error": max(float(fold["error"]) for fold in folds),
        "rank_stability": float(np.mean(pairs)) if pairs else np.nan,
    }


def values(folds: Sequence[Fold], places: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Every Shapley value: repeat, fold, patient, feature, value (of the feature, as the model saw it), shap, and base.

    The base is the mean prediction of the fold's training rows: base and the values of a row add up to its prediction.
    """
    parts = []
    for fold, (repeat, number) in zip(folds, places, strict=True):
        if not fold["features"]:
            continue
        seen = pd.DataFrame(fold["values"], columns=fold["features"])
        shap = pd.DataFrame(fold["shap"], columns=fold["features"])
        seen.insert(0, "patient", fold["patients"])
        long = seen.melt("patient", var_name="feature", value_name="value").assign(shap=shap.melt()["value"])
        parts.append(long.assign(repeat=repeat, fold=number, base=float(fold["base"])))
    columns = ["repeat", "fold", "patient", "feature", "value", "shap", "base"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
