"""What a prediction is for each kind of outcome, and the one number by which predictions are ranked.

binary       probability of the event; AUC
multiclass   probability of each class; mean AUC of the classes against the rest
ordinal      probability of each class; ordinal C-index of the expected class
survival     risk score and probability of the event by the horizon; Harrell's C-index

All of them are 0.5 where there is nothing to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from isthmus.stats import multiclass
from isthmus.stats.binary import Array
from isthmus.stats.roc import auc
from isthmus.stats.survival.concordance import harrell_c
from isthmus.table.outcome import Task

__all__ = ["GROUPS", "MEASURES", "METRICS", "group_of", "prediction_table", "risks_of", "score", "score_prediction"]

MEASURES: Mapping[Task, str] = MappingProxyType(
    {"binary": "AUC", "multiclass": "macro AUC", "ordinal": "ordinal C-index", "survival": "C-index"}
)
"""In words."""

METRICS: Mapping[Task, str] = MappingProxyType(
    {"binary": "auc", "multiclass": "macro_auc", "ordinal": "ordinal_c", "survival": "c_index"}
)
"""Its name in metrics.csv."""

GROUPS: Mapping[int, tuple[str, ...]] = MappingProxyType({2: ("low", "high"), 3: ("low", "middle", "high")})
"""Names of the risk groups, by their number."""


def risks_of(task: Task, predicted: Array) -> Array:
    """What models are compared by, from what a pipeline predicts: shape (n,), or (n, K) for classes."""
    if task == "binary":
        return predicted[:, 1]
    return predicted[:, 0] if task == "survival" else predicted


def score(task: Task, outcome: NDArray[Any], risks: Array) -> float:
    """How well `risks_of` some patients rank their outcomes; NaN where nothing can be ranked.

    `outcome` holds codes, or events and times (`table.target`).
    """
    if task == "binary":
        return auc(outcome, risks)
    if task == "survival":
        return harrell_c(outcome["time"], outcome["event"], risks)
    if task == "ordinal":
        return float(multiclass.ordinal_c(outcome, multiclass.expected_class(risks))[0])
    return multiclass.macro_auc(outcome, risks)


def prediction_table(
    task: Task, patients: NDArray[Any], predicted: Array, cuts: tuple[float, ...] = ()
) -> pd.DataFrame:
    """One row a patient (index), the mean of what his rows got.

    Columns: `probability`; of classes their probabilities as `0`, `1` ..., `class` (the code of the most probable one,
    whose probability `probability` then is); of a time to event `risk`, `probability` (of the event by the horizon) and
    `group` (the number of cuts that the risk reaches).
    """
    if task == "binary":
        return _means(patients, {"probability": predicted[:, 1]})
    if task == "survival":
        table = _means(patients, {"risk": predicted[:, 0], "probability": predicted[:, 1]})
        return table.assign(group=group_of(table["risk"], cuts))
    table = _means(patients, {str(k): column for k, column in enumerate(predicted.T)})
    shares = table.to_numpy(dtype=np.float64)
    return table.assign(**{"class": shares.argmax(axis=1), "probability": shares.max(axis=1)})


def group_of(risk: ArrayLike, cuts: tuple[float, ...]) -> NDArray[np.int64]:
    """Which risk group: 0 below the first cut, 1 from it on, and so forth."""
    return np.searchsorted(np.asarray(cuts, dtype=np.float64), np.asarray(risk, dtype=np.float64), side="right")


def _means(patients: NDArray[Any], columns: Mapping[str, Array]) -> pd.DataFrame:
    """Mean over the rows of each patient, in order of first appearance."""
    return (
        pd.DataFrame({k: np.asarray(v, dtype=np.float64) for k, v in columns.items()})
        .groupby(patients, sort=False)
        .mean()
    )


def score_prediction(task: Task, table: pd.DataFrame, outcome: ArrayLike, time: ArrayLike | None = None) -> float:
    """`score` from a table with the columns `probability` (or those of the classes, or `risk`)."""
    codes = np.asarray(outcome)
    if task == "binary":
        return auc(codes, table["probability"])
    if task == "survival":
        assert time is not None
        return harrell_c(time, codes, table["risk"])
    classes = [str(k) for k in range(sum(name.isdigit() for name in map(str, table.columns)))]
    return score(task, codes.astype(np.int64), table[classes].to_numpy(dtype=np.float64))
