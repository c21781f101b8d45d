"""How much a site shows in the features: analysis of variance, Kruskal-Wallis and Cohen's f, of many features at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["SiteEffect", "site_effect"]


@dataclass(frozen=True, eq=False)
class SiteEffect:
    """Arrays (p,); NaN for a feature that does not vary.

    `f`, `p`: analysis of variance over sites. `cohens_f`: sqrt(between / within sums of squares); 0.10 is small, 0.25 medium,
    0.40 large (Cohen 1988). `h`, `kruskal_p`: the rank test.
    """

    f: Array
    p: Array
    cohens_f: Array
    h: Array
    kruskal_p: Array


def site_effect(values: ArrayLike, sites: ArrayLike) -> SiteEffect:
    """The effect of the site on each feature.

    Parameters
    ----------
    values : array, shape (n, p)
        Complete.
    sites : array, shape (n,)

    Raises
    ------
    TableError
        One site only, or no site with two rows.
    """
    table = np.asarray(values, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    names, codes = np.unique(np.asarray(sites).astype(str), return_inverse=True)
    n, s = len(table), len(names)
    if s < 2 or n <= s:
        raise TableError(f"the effect of a site needs two sites and more rows than sites; got {n} rows of {s} site(s)")
    indicator = np.eye(s)[codes]
    sizes = indicator.sum(axis=0)
    centred = table - table.mean(axis=0)
    means = (indicator.T @ centred) / sizes[:, None]
    between = (sizes[:, None] * means**2).sum(axis=0)
    within = ((centred - means[codes]) ** 2).sum(axis=0)
    ranks = stats.rankdata(table, axis=0)
    sums = indicator.T @ (ranks - (n + 1) / 2)
    ties = _tie_correction(ranks)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = (between / (s - 1)) / (within / (n - s))
        h = 12 / (n * (n + 1)) * (sums**2 / sizes[:, None]).sum(axis=0) / ties
        effect = np.sqrt(between / within)
    return SiteEffect(f, stats.f.sf(f, s - 1, n - s), effect, h, stats.chi2.sf(h, s - 1))


def _tie_correction(ranks: Array) -> Array:
    """1 - sum(t^3 - t) / (n^3 - n) of each column; 0 where all are tied."""
    n = len(ranks)
    if n < 2:
        return np.zeros(ranks.shape[1])
    # the variance of midranks says how much ties take away
    result: Array = 12 * ranks.var(axis=0) / (n**2 - 1)
    return result
