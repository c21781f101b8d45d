"""Samples at a glance: their principal components, and the proteins that differ most, clustered."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage

from isthmus.stats.binary import Array
from isthmus.stats.pca import principal_components

__all__ = ["heat_map", "sample_components"]

_SHOWN = 40
_COMPONENTS = 4


def sample_components(values: pd.DataFrame, group: pd.Series[str]) -> pd.DataFrame:
    """`sample, group, component, score, share`: the first components of the standardised proteins that every sample has."""
    whole = values.dropna()
    columns = ["sample", "group", "component", "score", "share"]
    if len(whole) < 2 or values.shape[1] < 3:
        return pd.DataFrame(columns=columns)
    found = principal_components(whole.to_numpy().T)
    scores = (whole.to_numpy().T - found.mean) / found.sd @ found.loadings
    rows = [
        (sample, group[sample], number + 1, float(scores[place, number]), float(found.share[number]))
        for number in range(min(_COMPONENTS, len(found.share)))
        for place, sample in enumerate(values.columns)
    ]
    return pd.DataFrame(rows, columns=columns)


def heat_map(
    values: pd.DataFrame, result: pd.DataFrame, group: pd.Series[str]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The proteins with the smallest p, as z-scores over the samples, rows and columns in the order of average-linkage trees.

    The order of the samples is found without their groups: how they fall together is for the eye. Proteins that are chosen because groups
    differ will separate them, however.

    Returns
    -------
    z : DataFrame
        protein, then one column a sample, in order; NaN where not measured.
    proteins, samples : DataFrame
        `protein, fdr, log2_fold_change` and `sample, group`, in order.
    """
    chosen = result["p"].dropna().sort_values(kind="stable").index[:_SHOWN]
    x = values.loc[chosen]
    z = x.sub(x.mean(axis=1), axis=0).div(x.std(axis=1).replace(0, np.nan), axis=0)
    filled = np.nan_to_num(z.to_numpy(dtype=np.float64))
    rows, columns = _order(filled), _order(filled.T)
    ordered = z.iloc[rows, columns]
    facts = result.loc[ordered.index, ["q", "difference"]].set_axis(["fdr", "log2_fold_change"], axis=1)
    return (
        ordered.rename_axis("protein").reset_index(),
        facts.rename_axis("protein").reset_index(),
        pd.DataFrame({"sample": list(ordered.columns), "group": [group[sample] for sample in ordered.columns]}),
    )


def _order(rows: Array) -> list[int]:
    """Leaves of an average-linkage tree of Euclidean distances."""
    if len(rows) < 3:
        return list(range(len(rows)))
    return [int(leaf) for leaf in leaves_list(linkage(rows, "average", optimal_ordering=True))]
