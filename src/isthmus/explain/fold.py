"""One fold explained: the held-out rows against the training rows."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.explain.permutation import permutation_importance
from isthmus.explain.settings import ExplainSettings
from isthmus.explain.shap_values import SCALES, output, shap_values
from isthmus.stats.multiclass import ordinal_c
from isthmus.stats.roc import auc
from isthmus.stats.seeds import child_seed
from isthmus.stats.survival.concordance import harrell_c

__all__ = ["explain_fold"]

Array = NDArray[np.float64]


def explain_fold(
    estimator: Any,
    names: Sequence[str],
    rows: Array,
    background: Array,
    events: NDArray[Any],
    patients: NDArray[Any],
    *,
    task: str = "binary",
    settings: ExplainSettings,
    seed: int,
) -> dict[str, Any]:
    """Shapley values and permutation importance of the columns that play a part, as plain JSON values.

    Parameters
    ----------
    estimator : Estimator
        Fitted on `background`.
    names : sequence of str
        Of the columns as the estimator sees them.
    rows, background : arrays, shapes (n, p) and (k, p)
        Held-out and training rows.
    events, patients : arrays, shape (n,)
        Of the held-out rows: codes, or events and times.
    task : {"binary", "ordinal", "survival"}
    """
    estimator = copy.copy(estimator)
    vars(estimator).pop("feature_names_in_", None)  # columns come as an array from here on
    used = np.flatnonzero(np.asarray(estimator.contributions()))
    found = shap_values(
        estimator,
        rows,
        background,
        task=task,
        clusters=settings.background,
        passes=settings.passes,
        seed=child_seed(seed, "shap"),
    )

    def risk(values: Array) -> Array:
        return output(estimator.predict_proba(values), SCALES[task])

    importance = permutation_importance(
        risk,
        _ranking_of_patients(task, events, patients),
        rows,
        [np.array([column]) for column in used],
        permutations=settings.permutations,
        seed=child_seed(seed, "permutation importance"),
    )
    return {
        "scale": found.scale,
        "method": found.method,
        "error": found.error,
        "base": found.base,
        "patients": [str(patient) for patient in patients],
        "features": [names[int(column)] for column in used],
        "values": rows[:, used].tolist(),
        "shap": found.values[:, used].tolist(),
        "importance": [None if np.isnan(value) else float(value) for value in importance],
    }


def _ranking_of_patients(task: str, events: NDArray[Any], patients: NDArray[Any]) -> Any:
    """How well the mean prediction of each patient ranks the outcomes (AUC, ordinal C-index, Harrell's C); NaN where nothing can be
    ranked."""
    _, first, which = np.unique(np.asarray(patients).astype(str), return_index=True, return_inverse=True)
    truth, counts = events[first], np.bincount(which)

    def score(prediction: Array) -> float:
        mean = np.bincount(which, prediction) / counts
        if task == "survival":
            return harrell_c(truth["time"], truth["event"], mean)
        if truth.min() == truth.max():
            return float("nan")
        return auc(truth, mean) if task == "binary" else float(ordinal_c(truth, mean)[0])

    return score
