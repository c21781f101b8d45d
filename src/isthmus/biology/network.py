"""Which proteins go together within groups: Spearman correlations of what is left after the model, as a network."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from isthmus.stats.binary import Array
from isthmus.stats.groups import adjust_p

__all__ = ["LEAST_DF", "correlation_network"]

LEAST_DF = 8
"""Degrees of freedom of a correlation below which its p is not given: t does not describe ranks of so few."""


def correlation_network(
    residual: pd.DataFrame, fitted: int, *, fdr: float, least: float = 0.5
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Edges between proteins whose residuals correlate, and their modules.

    A difference between groups makes every protein that differs correlate with every other; the residuals of the model do not know it.

    Parameters
    ----------
    residual : DataFrame (proteins, samples)
        NaN where not measured; pairs are compared where both are there.
    fitted : int
        Coefficients of the model besides a mean: degrees of freedom that the residuals have lost.
    fdr, least : float
        An edge has q (over all pairs) below the one and |Spearman| of the other or more.

    Returns
    -------
    edges : DataFrame
        protein_a, protein_b, spearman, n, p, fdr: all pairs, strongest first; `edge` says which belong to the network.
    nodes : DataFrame
        protein, degree, module (connected proteins; 0: none).
    """
    names = list(residual.index)
    rho, n = _spearman(residual.to_numpy(dtype=np.float64))
    a, b = np.triu_indices(len(names), 1)
    r, count = rho[a, b], n[a, b]
    df = count - 2.0 - fitted
    with np.errstate(divide="ignore", invalid="ignore"):
        t = r * np.sqrt(df / np.maximum(1 - r**2, 1e-300))
        p = np.where(df >= LEAST_DF, 2 * stats.t.sf(np.abs(t), np.maximum(df, 1)), np.nan)
    edges = pd.DataFrame(
        {
            "protein_a": [names[i] for i in a], "protein_b": [names[i] for i in b],
            "spearman": r, "n": count, "p": p, "fdr": adjust_p(p, "benjamini-hochberg"),
        }
    )  # fmt: skip
    edges["edge"] = (edges["fdr"] < fdr) & (edges["spearman"].abs() >= least)
    kept = edges["edge"].to_numpy()
    matrix = coo_array((np.ones(int(kept.sum())), (a[kept], b[kept])), shape=rho.shape)
    _, label = connected_components(matrix, directed=False)
    degree = np.bincount(np.concatenate([a[kept], b[kept]]), minlength=len(names))
    sizes = np.bincount(label)
    order = {
        int(old): new for new, old in enumerate(sorted(np.flatnonzero(sizes > 1), key=lambda x: (-sizes[x], x)), 1)
    }
    nodes = pd.DataFrame({"protein": names, "degree": degree, "module": [order.get(int(x), 0) for x in label]})
    return edges.sort_values("p", kind="stable", ignore_index=True), nodes


def _spearman(x: Array) -> tuple[Array, Array]:
    """Correlations and numbers of pairs; ranks are those of each protein's own values."""
    there = np.isfinite(x)
    if there.all():
        ranks = stats.rankdata(x, axis=1)
        ranks -= ranks.mean(axis=1, keepdims=True)
        size = np.sqrt((ranks**2).sum(axis=1))
        size = np.where(size > 0, size, np.nan)
        return np.clip(ranks @ ranks.T / np.outer(size, size), -1, 1), np.full((len(x), len(x)), x.shape[1])
    rho, n = np.full((len(x), len(x)), np.nan), there.astype(int) @ there.T.astype(int)
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            both = there[i] & there[j]
            if both.sum() > 2 and np.ptp(x[i, both]) > 0 and np.ptp(x[j, both]) > 0:
                rho[i, j] = rho[j, i] = np.corrcoef(stats.rankdata(x[i, both]), stats.rankdata(x[j, both]))[0, 1]
    return rho, n
