"""Two groups of different subjects whose values are bounded and skewed: relative effect, and means under permutation.

References
----------
Brunner and Munzel, Biom J 2000;42:17-25. Permuted means: Fisher 1935; the p-value counts the observed labelling in (Phipson and Smyth,
Stat Appl Genet Mol Biol 2010;9:39).
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison
from isthmus.stats.interval import Interval

__all__ = ["brunner_munzel", "permuted_difference", "relative_effect"]

_NAN = float("nan")


def _parts(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array, float, float, float] | str:
    """Both groups, P(a < b) + P(a = b) / 2, its standard error and degrees of freedom; or why not."""
    x, z = (np.asarray(values, dtype=np.float64) for values in (a, b))
    x, z = x[~np.isnan(x)], z[~np.isnan(z)]
    n, m = x.size, z.size
    if min(n, m) < 2:
        return "a group of fewer than 2"
    together = stats.rankdata(np.concatenate([x, z]))
    effect = (together[n:].mean() - (m + 1) / 2) / n
    # variance of the placements: ranks among all less ranks within the own group
    of_x = np.var(together[:n] - stats.rankdata(x), ddof=1) / (m**2 * n)
    of_z = np.var(together[n:] - stats.rankdata(z), ddof=1) / (n**2 * m)
    if of_x + of_z == 0:
        return "the groups do not overlap" if effect in (0.0, 1.0) else "every value is the same"
    df = (of_x + of_z) ** 2 / (of_x**2 / (n - 1) + of_z**2 / (m - 1))
    return x, z, float(effect), float(np.sqrt(of_x + of_z)), float(df)


def brunner_munzel(a: ArrayLike, b: ArrayLike) -> Comparison:
    """Is a value of one group as likely above as below one of the other? Variances and shapes may differ; missing values left out."""
    found = _parts(a, b)
    if isinstance(found, str):
        return Comparison(_NAN, _NAN, f"Brunner-Munzel; not computed: {found}")
    _, _, effect, error, df = found
    statistic = (effect - 0.5) / error
    return Comparison(statistic, float(2 * stats.t.sf(abs(statistic), df)), "Brunner-Munzel", df)


def relative_effect(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Interval:
    """P(a < b) + P(a = b) / 2: 0.5 where neither group tends to larger values."""
    found = _parts(a, b)
    if isinstance(found, str):
        return Interval(_NAN, _NAN, _NAN, f"relative effect; not computed: {found}")
    _, _, effect, error, df = found
    reach = stats.t.ppf(0.5 + confidence / 2, df) * error
    return Interval(effect, max(0.0, effect - reach), min(1.0, effect + reach), "relative effect, Brunner and Munzel")


def permuted_difference(
    a: ArrayLike, b: ArrayLike, *, permutations: int = 10_000, rng: np.random.Generator
) -> Comparison:
    """Do the means differ more than under random labels? Every labelling where there are no more than `permutations`, else so many drawn.

    The statistic is mean(b) - mean(a); missing values are left out.
    """
    x, z = (np.asarray(values, dtype=np.float64) for values in (a, b))
    x, z = x[~np.isnan(x)], z[~np.isnan(z)]
    if not min(x.size, z.size):
        return Comparison(_NAN, _NAN, "permuted means; not computed: an empty group")
    pooled = np.concatenate([x, z])
    observed = float(z.mean() - x.mean())
    if comb(pooled.size, x.size) <= permutations:
        from itertools import combinations

        chosen = np.array(list(combinations(range(pooled.size), x.size)))
        method, extra = "permuted means, every labelling", 0
    else:
        order = rng.permuted(np.tile(np.arange(pooled.size), (permutations, 1)), axis=1)
        chosen = order[:, : x.size]
        method, extra = f"permuted means, {permutations} labellings", 1
    first = pooled[chosen].sum(axis=1)
    differences = (pooled.sum() - first) / z.size - first / x.size
    as_far = int(np.count_nonzero(np.abs(differences) >= abs(observed) - 1e-12 * max(1.0, float(np.abs(pooled).max()))))
    return Comparison(observed, (as_far + extra) / (len(chosen) + extra), method)
