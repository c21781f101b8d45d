"""What choosing the best of several models on the test set would have claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from isthmus.stats.bootstrap import patient_multiplicities
from isthmus.stats.roc import weighted_auc
from isthmus.stats.seeds import child_seed

__all__ = ["COLUMNS", "best_of_several", "optimism_of_choice"]

COLUMNS = ["group", "model", "cv", "internal", "external", "best_cv", "best_internal", "optimism"]
_DRAWS, _DRAW = 500, "best of several"


def best_of_several(
    predictions: pd.DataFrame, metrics: pd.DataFrame, groups: Mapping[str, Sequence[str]], *, seed: int
) -> pd.DataFrame:
    """The models of each group, and which of them either rule takes.

    Parameters
    ----------
    predictions, metrics : DataFrame
        As in the run folder.
    groups : mapping
        Name -> models among which one is chosen; those the run lacks are left out, and a group needs two.
    seed : int

    Returns
    -------
    DataFrame
        group, model, its AUC `cv`, `internal` and `external`; best_cv, best_internal: is it the best there? optimism
        (`optimism_of_choice`) of the group on the internal set. No rows without an internal set.
    """
    area = metrics[metrics["metric"] == "auc"].pivot_table(index="model", columns="split", values="estimate")
    rows = []
    for group, models in groups.items():
        mine = area.reindex(columns=["cv", "internal", "external"]).loc[[m for m in models if m in area.index]]
        mine = mine.dropna(subset=["cv", "internal"])
        if len(mine) < 2:
            continue
        part = predictions[(predictions["split"] == "internal") & predictions["model"].isin(mine.index)]
        wide = part.pivot_table(index="patient", columns="model", values="probability")
        outcome = part.groupby("patient")["outcome"].first().loc[wide.index].to_numpy()
        paid = optimism_of_choice(outcome, wide[list(mine.index)].to_numpy(), seed=child_seed(seed, _DRAW, group))
        best = {name: mine[name].idxmax() for name in ("cv", "internal")}
        for model, row in mine.iterrows():
            said = (model == best["cv"], model == best["internal"])
            rows.append((group, model, row["cv"], row["internal"], row["external"], *said, paid))
    return pd.DataFrame(rows, columns=COLUMNS)


def optimism_of_choice(outcome: np.ndarray, risks: np.ndarray, *, seed: int) -> float:
    """By how much the best AUC of several models on a test set overstates that model, on average.

    In bootstrap samples of the patients (stratified) the best model is chosen; its AUC in the sample minus its AUC in all patients.

    Parameters
    ----------
    outcome : array of shape (n,), 0 or 1
    risks : array of shape (n, models)
    seed : int
    """
    weights = patient_multiplicities(outcome == 1, draws=_DRAWS, rng=np.random.default_rng(seed))
    drawn = np.column_stack([weighted_auc(outcome, risk, weights) for risk in risks.T])
    whole = np.array([weighted_auc(outcome, risk, np.ones((1, len(outcome))))[0] for risk in risks.T])
    chosen = drawn.argmax(axis=1)
    return float((drawn.max(axis=1) - whole[chosen]).mean())
