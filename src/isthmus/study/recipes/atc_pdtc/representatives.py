"""One value a patient for every category of features: by UMAP as the study did, and by the first principal component.

Both are made from all patients at once. That describes these patients; it is not what a model may do, and no model of the recipe
does. The UMAP value depends on its seed and on the order of the rows, and how much is measured here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from isthmus.stats.combine_p import geometric_mean_p
from isthmus.stats.groups import kruskal, mann_whitney
from isthmus.stats.representative import STABLE, component_axis, representative_stability, umap_axis
from isthmus.stats.seeds import child_seed
from isthmus.study.recipes.atc_pdtc.groups import AGAINST, CASE, members

__all__ = ["Representatives", "represent"]


@dataclass(frozen=True, eq=False)
class Representatives:
    """values: patient, histology, category, method, value. categories: one row a category and method, see `represent`."""

    values: pd.DataFrame
    categories: pd.DataFrame


def represent(
    features: pd.DataFrame,
    families: Mapping[str, Sequence[str]],
    histology: pd.Series[Any],
    *,
    umap_runs: int,
    seed: int,
) -> Representatives:
    """The representative value of every category, and how well it tells the groups apart.

    Parameters
    ----------
    features : DataFrame
        One row a patient; missing values are replaced by the median, constant columns left out.
    families : mapping
        Category -> its columns.
    histology : Series
        On the same index.
    umap_runs : int
        Seeds and orders of rows over which the UMAP value's stability is taken; 0: no UMAP.
    seed : int

    Returns
    -------
    Representatives
        `categories` has category, method ("umap", "pca"), features, stability (median |Spearman| over the runs; 1 for PCA),
        stable (at least 0.9), spearman_other (|Spearman| with the other method), p_<group> of ATC/PDTC against DTC, PTC and FTC
        (Wilcoxon), p_three (Kruskal-Wallis of ATC/PDTC, PTC and FTC), gm and e_gm (geometric mean of the three p-values, and e
        times it, at most 1), gm_features (geometric mean over the category's features of ATC/PDTC against DTC).
    """
    groups = members(histology)
    values, rows = [], []
    complete = features.fillna(features.median())
    for category, columns in families.items():
        kept = [column for column in columns if complete[column].nunique() > 1]
        if not kept:
            continue
        table = complete[kept].to_numpy(dtype=np.float64)
        made = _axes(table, umap_runs=umap_runs, seed=child_seed(seed, "representative", category))
        over_features = geometric_mean_p([mann_whitney(x[groups[CASE]], x[groups["DTC"]]).p for x in table.T]).value
        for method, axis in made.items():
            other = next((made[name] for name in made if name != method), None)
            p = {name: mann_whitney(axis.value[groups[CASE]], axis.value[groups[name]]).p for name in AGAINST}
            mean = geometric_mean_p(list(p.values()))
            rows.append(
                {
                    "category": category, "method": method, "features": len(kept), "stability": axis.stability,
                    "stable": bool(axis.stability >= STABLE),
                    "spearman_other": np.nan if other is None else _rank_agreement(axis.value, other.value),
                    **{f"p_{name}": value for name, value in p.items()},
                    "p_three": kruskal(*(axis.value[groups[name]] for name in (CASE, "PTC", "FTC"))).p,
                    "gm": mean.value, "e_gm": mean.p, "gm_features": over_features,
                }
            )  # fmt: skip
            values.append(
                pd.DataFrame(
                    {
                        "patient": features.index, "histology": histology.to_numpy(), "category": category, "method": method,
                        "value": axis.value,
                    }
                )
            )  # fmt: skip
    categories = pd.DataFrame(rows).sort_values(["method", "gm", "category"], kind="stable", ignore_index=True)
    return Representatives(pd.concat(values, ignore_index=True), categories)


@dataclass(frozen=True, eq=False)
class _Axis:
    value: NDArray[np.float64]
    stability: float


def _axes(table: NDArray[np.float64], *, umap_runs: int, seed: int) -> dict[str, _Axis]:
    """The value by each method; a category of one feature is that feature, standardised."""
    component = component_axis(table).place(table)
    if table.shape[1] == 1:
        alone = _Axis(component, 1.0)
        return {"umap": alone, "pca": alone} if umap_runs else {"pca": alone}
    made = {"pca": _Axis(component, 1.0)}
    if umap_runs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of umap-learn: one worker where there is a seed
            position = umap_axis(table, seed=seed % 2**31).position
            stability = representative_stability(table, seed=seed % 2**31, runs=umap_runs)
        made = {"umap": _Axis((position - position.mean()) / position.std(), stability), **made}
    return made


def _rank_agreement(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return abs(float(stats.spearmanr(a, b).statistic))
