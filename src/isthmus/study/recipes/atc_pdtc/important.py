"""The five features that matter most to each model, and how well each alone ranks the patients.

A feature is a clinical variable or a category of radiomics features, noised together. Its importance is the VIMP on the rows out of
bag of the final forest, over blocks of ten trees; the one of Ishwaran and Kogalur, over the whole forest, stands beside it (in a
small cohort its error moves in steps of a patient, and many features tie).

Alone, a category is its first principal component: fitted on all patients for the curve the study drew (chosen, oriented and
judged on the same patients: optimistic), and within the training rows of every fold for the honest one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from isthmus.models.encoding import Encode
from isthmus.stats.representative import component_axis
from isthmus.stats.roc import auc, averaged_roc, roc_curve
from isthmus.study.recipes.atc_pdtc.published import IMPORTANT
from isthmus.validate.splits import Split

__all__ = ["CURVE_COLUMNS", "curves_of", "ranking"]

CURVE_COLUMNS = ["model", "feature", "kind", "fpr", "tpr"]


def ranking(importance: pd.DataFrame, groups: Mapping[str, Mapping[str, Sequence[str]]]) -> pd.DataFrame:
    """model, rank, feature, columns (how many), vimp, vimp_whole_forest, published_rank: every group of each model, most important first.

    Parameters
    ----------
    importance : DataFrame
        model, group, importance (by which it is ordered within each model), importance_whole_forest.
    groups : mapping
        Model -> group -> its columns.
    """
    table = importance.rename(
        columns={"group": "feature", "importance": "vimp", "importance_whole_forest": "vimp_whole_forest"}
    )
    table["rank"] = table.groupby("model", sort=False).cumcount() + 1
    pairs = list(zip(table["model"], table["feature"], strict=True))
    table["columns"] = [len(groups[model][feature]) for model, feature in pairs]
    printed = {(model, name): place for model, names in IMPORTANT.items() for place, name in enumerate(names, start=1)}
    table["published_rank"] = pd.array([printed.get(pair, pd.NA) for pair in pairs], dtype="Int64")
    return table[["model", "rank", "feature", "columns", "vimp", "vimp_whole_forest", "published_rank"]]


def curves_of(
    X: pd.DataFrame, outcome: pd.Series[Any], splits: Sequence[Split], columns: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, float]]:
    """ROC curves of one feature alone, and their areas.

    Parameters
    ----------
    X : DataFrame
        The design matrix, one row a patient.
    outcome : Series of 0 and 1
        On the same index.
    splits : sequence of Split
        Of the run.
    columns : sequence of str
        The columns of the feature in X.

    Returns
    -------
    curves : DataFrame
        kind ("as published", "cross-validated"), fpr, tpr.
    areas : dict
        kind -> AUC; of the cross-validated one the mean over the folds.
    """
    table = X[list(columns)]
    everyone = list(table.index)
    y = outcome.loc[everyone].to_numpy(dtype=np.int64)
    whole = _score(table, everyone, everyone, y)
    folds = []
    for split in splits:
        train, test = list(split.train), list(split.test)
        score = _score(table, train, test, outcome.loc[train].to_numpy(dtype=np.int64))
        folds.append((outcome.loc[test].to_numpy(dtype=np.int64), score))
    made = {"as published": roc_curve(y, whole), "cross-validated": averaged_roc(folds)}
    curves = pd.concat(
        [pd.DataFrame({"kind": kind, "fpr": curve.fpr, "tpr": curve.tpr}) for kind, curve in made.items()],
        ignore_index=True,
    )
    return curves, {kind: curve.area for kind, curve in made.items()}


def _score(
    table: pd.DataFrame, train: Sequence[str], test: Sequence[str], events: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The value of the test patients, by what the training patients tell: median, component, and which end means the event."""
    inside, outside = table.loc[list(train)], table.loc[list(test)]
    encode = Encode().fit(inside)
    inside, outside = encode.transform(inside), encode.transform(outside)
    if not len(inside.columns):
        return np.zeros(len(outside))
    middle = inside.median()
    inside, outside = inside.fillna(middle).fillna(0.0), outside.fillna(middle).fillna(0.0)
    axis = component_axis(inside.to_numpy(dtype=np.float64))
    sign = 1.0 if auc(events, axis.place(inside.to_numpy(dtype=np.float64))) >= 0.5 else -1.0
    return np.asarray(sign * axis.place(outside.to_numpy(dtype=np.float64)), dtype=np.float64)
