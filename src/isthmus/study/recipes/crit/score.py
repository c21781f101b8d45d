"""The study's score by which it called one of its models the best, and what it becomes without the patients who were to test it.

Every metric is brought to 0 ... 100 over the models, weighted and summed. The study took 40 % from its internal test set, 40 % from the
*external* centre and 20 % from how little the two differ: the model that does best at the external centre is chosen there, and what it is
then said to reach there is optimistic. `score` therefore sees out-of-fold predictions of the development patients alone; `as_published`
is the study's rule, for comparison, and chooses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from isthmus.study.recipes.crit.published import WEIGHTS_CODE, WEIGHTS_README

__all__ = ["points", "screening_score", "stability_points"]

_FALLING = ("brier", "likelihood_ratio_negative")
_CAP = 100.0
"""Of the negative likelihood ratio, as the study capped it."""
_STABILITY = {"sensitivity": 0.35, "npv": 0.25, "f3": 0.15, "pr_auc": 0.15, "mcc": 0.10}
_FLOORS = {
    "cv": {"sensitivity": (0.70, 0.5), "npv": (0.85, 0.7)},
    "external": {"sensitivity": (0.65, 0.5), "npv": (0.80, 0.7)},
}
_DROPS = {"sensitivity": (0.15, 0.8), "npv": (0.10, 0.8)}


def screening_score(models: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The score of each model, and its components.

    Parameters
    ----------
    models : DataFrame
        Of `model_table`; the models to rank among one another.

    Returns
    -------
    scores : DataFrame
        model, penalty, score, rank (weights of the code, out-of-fold predictions only), score_readme, rank_readme (weights of the
        description, its stability left out and the others raised to sum to one), and, where there is an external centre, external,
        stability, penalty_as_published, as_published, rank_as_published.
    components : DataFrame
        model, metric, weight_code, weight_readme, value, points, of the out-of-fold predictions.
    """
    own = models[models["split"] == "cv"].set_index("model")
    scored = points(own)
    code = _weighted(scored, WEIGHTS_CODE)
    known = {name: weight for name, weight in WEIGHTS_README.items() if name in WEIGHTS_CODE}
    readme = _weighted(scored, {name: weight / sum(known.values()) for name, weight in known.items()})
    penalty = _penalty(own, "cv")
    scores = pd.DataFrame({"penalty": penalty, "score": code * penalty, "score_readme": readme * penalty})
    external = models[models["split"] == "external"].set_index("model").reindex(own.index)
    if external["n"].notna().all() and len(own):
        there = _weighted(points(external), WEIGHTS_CODE)
        stable = pd.Series({model: _stability(own.loc[model], external.loc[model]) for model in own.index})
        both = penalty * _penalty(external, "external") * _drops(own, external)
        scores = scores.assign(
            external=there, stability=stable, penalty_as_published=both,
            as_published=(0.4 * code + 0.4 * there + 0.2 * stable) * both,
        )  # fmt: skip
    for name in ("score", "score_readme", "as_published"):
        if name in scores:
            place = name.replace("score", "rank") if name.startswith("score") else f"rank_{name}"
            scores[place] = scores[name].rank(ascending=False, method="min").astype(int)
    parts = [
        {
            "model": model, "metric": metric, "weight_code": WEIGHTS_CODE[metric], "weight_readme": WEIGHTS_README[metric],
            "value": own.at[model, metric], "points": scored.at[model, metric],
        }
        for model in own.index
        for metric in WEIGHTS_CODE
    ]  # fmt: skip
    return scores.rename_axis("model").reset_index(), pd.DataFrame(parts)


def points(table: pd.DataFrame) -> pd.DataFrame:
    """Each metric from 0 (worst model) to 100 (best); 50 where all models have the same, 0 where a model has none."""
    made = {}
    for metric in WEIGHTS_CODE:
        values = table[metric].astype(float)
        if metric == "likelihood_ratio_negative":
            values = values.clip(upper=_CAP)
        low, high = values.min(), values.max()
        scaled = (values - low) / (high - low) if high > low else values * 0.0 + 0.5
        made[metric] = 100.0 * (1.0 - scaled if metric in _FALLING else scaled).fillna(0.0)
    return pd.DataFrame(made)


def stability_points(change: float, metric: str = "") -> float:
    """0 ... 1 of a relative change from the internal to the external value, by the study's rule: a rise earns points, up to a point."""
    size = abs(change)
    if change >= 0:
        if size <= 0.1:
            return 0.9 + size
        return 0.8 - 2.0 * (size - 0.1) if size <= 0.2 else max(0.3, 0.6 - (size - 0.2))
    if size <= 0.1:
        found = 0.85 - 1.5 * size
    elif size <= 0.2:
        found = 0.70 - 3.0 * (size - 0.1)
    else:
        found = max(0.1, 0.40 - 2.0 * (size - 0.2))
    return 0.8 * found if metric in ("sensitivity", "npv") else found


def _stability(own: pd.Series[Any], external: pd.Series[Any]) -> float:
    total = 0.0
    for metric, weight in _STABILITY.items():
        inside, outside = float(own[metric]), float(external[metric])
        if not inside > 0 or not np.isfinite(outside):
            total += weight * 0.5
        else:
            total += weight * stability_points((outside - inside) / inside, metric)
    return 100.0 * total


def _weighted(scored: pd.DataFrame, weights: Mapping[str, float]) -> pd.Series[Any]:
    return sum((weight * scored[metric] for metric, weight in weights.items()), pd.Series(0.0, index=scored.index))


def _penalty(table: pd.DataFrame, split: str) -> pd.Series[Any]:
    factor = pd.Series(1.0, index=table.index)
    for metric, (floor, times) in _FLOORS[split].items():
        factor = factor.where(~(table[metric] < floor), factor * times)
    return factor


def _drops(own: pd.DataFrame, external: pd.DataFrame) -> pd.Series[Any]:
    factor = pd.Series(1.0, index=own.index)
    for metric, (limit, times) in _DROPS.items():
        factor = factor.where(~(own[metric] - external[metric] > limit), factor * times)
    return factor
