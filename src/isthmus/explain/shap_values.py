"""Shapley values of a fitted estimator: exact where its form allows it, sampled for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.stats.multiclass import expected_class
from isthmus.stats.shapley import additive_shapley, sampled_shapley, tree_shapley

__all__ = ["SCALES", "ShapValues", "centres", "output", "shap_values"]

Array = NDArray[np.float64]

SCALES: Mapping[str, str] = MappingProxyType({"binary": "risk", "ordinal": "expected class", "survival": "risk score"})
"""Kind of outcome -> the one number of a prediction that is explained (of two classes the log odds, where the form is exact).

Unordered classes have no such number.
"""


@dataclass(frozen=True, eq=False)
class ShapValues:
    """How each column moved the prediction of each row.

    Parameters
    ----------
    values : array, shape (n, p)
    base : float
        Mean output over the background.
    scale : {"log odds", "risk", "expected class", "risk score"}
    method : str
    error : float
        Largest difference between base plus the sum of a row's values and the model's output for it.
    """

    values: Array
    base: float
    scale: str
    method: str
    error: float


def shap_values(
    estimator: Any,
    rows: Array,
    background: Array,
    *,
    task: str = "binary",
    clusters: int = 20,
    passes: int = 2,
    seed: int = 0,
) -> ShapValues:
    """Shapley values of rows against the training rows as background.

    Parameters
    ----------
    estimator : Estimator
        Fitted. A sum of one-column terms (linear models, naive Bayes) and a sum of trees are solved exactly against every
        background row; anything else is sampled against k-means centres of them.
    rows : array, shape (n, p)
        Held-out rows, as the estimator sees them.
    background : array, shape (k, p)
        The training rows, as the estimator sees them.
    task : {"binary", "ordinal", "survival"}
        What is explained: see `SCALES`.
    clusters, passes : int
        Of the sampled method.
    seed : int
    """
    weights = np.full(len(background), 1.0 / len(background))
    parts, trees = estimator.additive_parts(rows), estimator.tree_form() if task == "binary" else None
    if parts is not None:
        scale = "log odds" if task == "binary" else SCALES[task]
        method = "exact, sum of one-column terms"
        values = additive_shapley(parts, estimator.additive_parts(background))
    elif trees is not None:
        scale, method = trees.scale, "exact, trees against every training row"
        values = tree_shapley(trees, rows, background)
    else:
        background, weights = centres(background, clusters, seed)
        scale = SCALES[task]
        method = f"sampled, {passes} pairs of orders against {len(background)} k-means centres"
        columns = np.flatnonzero(np.asarray(estimator.contributions()))
        values = sampled_shapley(
            lambda mixed: output(estimator.predict_proba(mixed), scale),
            rows,
            background,
            weights,
            columns=columns,
            passes=passes,
            seed=seed,
        )
    base = float(output(estimator.predict_proba(background), scale) @ weights)
    error = np.abs(base + values.sum(axis=1) - output(estimator.predict_proba(rows), scale))
    return ShapValues(values, base, scale, method, float(error.max(initial=0.0)))


def output(predicted: Any, scale: str) -> Array:
    """The number that is explained (n,), from what a model predicts: (n, 2) or, of ordered classes, (n, K)."""
    both = np.asarray(predicted, dtype=np.float64)
    if scale == "expected class":
        return expected_class(both)
    if scale in ("risk", "risk score"):
        risk: Array = both[:, int(scale == "risk")]
        return risk
    both = np.maximum(both, 1e-16)  # a risk that rounds to 1 has no log odds
    return np.asarray(np.log(both[:, 1]) - np.log(both[:, 0]), dtype=np.float64)


def centres(background: Array, clusters: int, seed: int) -> tuple[Array, Array]:
    """k-means centres of the background, each column moved to the nearest value that occurs, and their shares of rows."""
    from sklearn.cluster import KMeans

    different = len(np.unique(background, axis=0))
    found = KMeans(min(clusters, different), n_init=5, random_state=seed % 2**32).fit(background)
    middle = np.asarray(found.cluster_centers_, dtype=np.float64)
    for column in range(middle.shape[1]):
        known = background[:, column]
        middle[:, column] = known[np.abs(known[:, None] - middle[:, column]).argmin(axis=0)]
    share = np.bincount(found.labels_, minlength=len(middle)) / len(background)
    return middle, share
