"""Comparing groups of patients, for Table 1 and univariable screens.

The rules of choice are R's (`wilcox.test`, `chisq.test`, `fisher.test`); every result names the test that ran.
"""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison
from isthmus.stats.interval import Interval

__all__ = [
    "Adjustment",
    "adjust_p",
    "anova",
    "chi_square",
    "cochran_armitage",
    "conditional_odds_ratio",
    "fisher_exact",
    "kruskal",
    "mann_whitney",
    "standardised_difference",
    "standardised_difference_share",
    "student_t",
    "ways_to_take",
    "welch_t",
]

_NAN = float("nan")
_EXACT_BELOW = 50
_MOST_TABLES = 1_000_000


def _present(values: ArrayLike) -> Array:
    """The values that are there; missing ones take no part."""
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[~np.isnan(numbers)]


def _undefined(method: str, why: str) -> Comparison:
    return Comparison(_NAN, _NAN, f"{method}; not computed: {why}")


def welch_t(a: ArrayLike, b: ArrayLike) -> Comparison:
    """Do two groups differ in their mean? (Welch's t-test, unequal variances; missing values left out)"""
    return _t_test(_present(a), _present(b), equal_variances=False)


def student_t(a: ArrayLike, b: ArrayLike) -> Comparison:
    """Do two groups differ in their mean? (Student's t-test, equal variances; missing values left out)"""
    return _t_test(_present(a), _present(b), equal_variances=True)


def _t_test(a: Array, b: Array, *, equal_variances: bool) -> Comparison:
    method = "Student t-test" if equal_variances else "Welch t-test"
    if min(a.size, b.size) < 2:
        return _undefined(method, "fewer than two values in a group")
    if np.ptp(a) == 0 and np.ptp(b) == 0:
        return _undefined(method, "no variation in either group")
    with warnings.catch_warnings():  # one group without variation is no loss of precision: its variance is 0
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        result = stats.ttest_ind(a, b, equal_var=equal_variances)
    return Comparison(float(result.statistic), float(result.pvalue), method, float(result.df))


def mann_whitney(a: ArrayLike, b: ArrayLike, *, method: Literal["auto", "exact", "asymptotic"] = "auto") -> Comparison:
    """Do two groups differ in location? (Mann-Whitney; the statistic is R's W, U of the first group)

    "auto" is R's rule: exact when both groups have fewer than 50 values and there are no ties, else the normal
    approximation with correction for ties and continuity. Missing values are left out.
    """
    x, z = _present(a), _present(b)
    name = "Mann-Whitney"
    if min(x.size, z.size) < 1:
        return _undefined(name, "an empty group")
    together = np.concatenate([x, z])
    if np.ptp(together) == 0:
        return _undefined(name, "all values are the same")
    ties = np.unique(together).size < together.size
    exact = method == "exact" or (method == "auto" and max(x.size, z.size) < _EXACT_BELOW and not ties)
    if exact and ties:
        raise TableError("an exact Mann-Whitney test was asked for, but there are tied values; use 'auto'")
    result = stats.mannwhitneyu(x, z, method="exact" if exact else "asymptotic", use_continuity=True)
    kind = "exact" if exact else "normal approximation, continuity correction"
    return Comparison(float(result.statistic), min(1.0, float(result.pvalue)), f"{name}, {kind}")


def kruskal(*groups: ArrayLike) -> Comparison:
    """Do several groups differ in location? (Kruskal-Wallis; missing values left out)"""
    values = [_present(g) for g in groups]
    name = "Kruskal-Wallis"
    if len(values) < 2 or min(v.size for v in values) < 1:
        return _undefined(name, "an empty group, or fewer than two")
    if np.ptp(np.concatenate(values)) == 0:
        return _undefined(name, "all values are the same")
    result = stats.kruskal(*values)
    return Comparison(float(result.statistic), float(result.pvalue), name, float(len(values) - 1))


def anova(*groups: ArrayLike) -> Comparison:
    """Do several groups differ in their mean? (one-way analysis of variance; missing values left out)"""
    values = [_present(g) for g in groups]
    name = "one-way ANOVA"
    n = sum(v.size for v in values)
    if len(values) < 2 or min(v.size for v in values) < 1 or n <= len(values):
        return _undefined(name, "an empty group, or too few values")
    if all(np.ptp(v) == 0 for v in values):
        return _undefined(name, "no variation within the groups")
    result = stats.f_oneway(*values)
    return Comparison(float(result.statistic), float(result.pvalue), name, float(len(values) - 1))


def _contingency(table: ArrayLike) -> Array:
    """Counts without empty rows and columns."""
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or (counts < 0).any():
        raise TableError(f"expected a two-way table of counts; got shape {counts.shape}")
    return counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]


def chi_square(table: ArrayLike, *, continuity: bool = True) -> Comparison:
    """Are rows and columns of a table of counts associated? (chi-square; Yates' correction for 2 x 2)"""
    counts = _contingency(table)
    name = "chi-square"
    if min(counts.shape) < 2:
        return _undefined(name, "fewer than two categories with patients")
    corrected = continuity and counts.shape == (2, 2)
    result = stats.chi2_contingency(counts, correction=corrected)
    label = f"{name}, Yates' correction" if corrected else name
    return Comparison(float(result.statistic), float(result.pvalue), label, float(result.dof))


def cochran_armitage(table: ArrayLike, scores: ArrayLike | None = None) -> Comparison:
    """Does a share rise or fall over ordered levels? (Cochran-Armitage test for trend, as R's `prop.trend.test`)

    Parameters
    ----------
    table : array of counts, shape (k, 2)
        One row a level, in their order; the two groups in the columns.
    scores : array, shape (k,), optional
        Of the levels; by default 1 to k.
    """
    counts = np.asarray(table, dtype=np.float64)
    name = "Cochran-Armitage trend"
    if counts.ndim != 2 or counts.shape[1] != 2 or (counts < 0).any():
        raise TableError(f"a test for trend needs a table of levels by two groups; got shape {counts.shape}")
    at = np.arange(1.0, len(counts) + 1) if scores is None else np.asarray(scores, dtype=np.float64)
    n = counts.sum(axis=1)
    total, share = n.sum(), counts[:, 1].sum() / max(counts.sum(), 1)
    spread = (n * at**2).sum() - (n * at).sum() ** 2 / total if total else 0.0
    if not 0 < share < 1 or spread <= 0:
        return _undefined(name, "fewer than two levels or groups with patients")
    statistic = float((counts[:, 1] @ at - share * (n @ at)) ** 2 / (share * (1 - share) * spread))
    return Comparison(statistic, float(stats.chi2.sf(statistic, 1)), name, 1.0)


def fisher_exact(table: ArrayLike, *, rng: np.random.Generator | None = None, resamples: int = 9999) -> Comparison:
    """Are rows and columns of a table of counts associated? (Fisher's exact test; beyond 2 x 2 Freeman-Halton's)

    Parameters
    ----------
    table : array of counts, shape (r, c)
    rng : Generator, optional
        Needed only beyond 2 x 2 where more than a million tables share the margins: the p-value is then a Monte Carlo
        estimate over such tables, and `method` states their number.
    resamples : int
        Number of random tables then.

    Returns
    -------
    Comparison
        The statistic of a 2 x 2 table is the sample odds ratio (see `conditional_odds_ratio` for R's); beyond, NaN.
    """
    counts = _contingency(table)
    name = "Fisher's exact test"
    if min(counts.shape) < 2:
        return _undefined(name, "fewer than two categories with patients")
    if counts.shape == (2, 2):
        result = stats.fisher_exact(counts.astype(int))
        return Comparison(float(result.statistic), float(result.pvalue), name)
    exact = _freeman_halton(counts.astype(np.int64))
    if exact is not None:
        return Comparison(_NAN, exact, name)
    if rng is None:
        raise TableError(
            f"Fisher's test of a {counts.shape[0]} x {counts.shape[1]} table this large draws tables: pass rng"
        )
    sampler = stats.MonteCarloMethod(n_resamples=resamples, rng=rng)
    result = stats.fisher_exact(counts.astype(int), method=sampler)
    return Comparison(_NAN, float(result.pvalue), f"{name}, Monte Carlo with {resamples} tables")


def _freeman_halton(counts: NDArray[np.int64]) -> float | None:
    """Probability of the tables with these margins that are no likelier than this one; None if there are too many.

    A table's probability is proportional to 1 / product of its cells' factorials; the tables are listed column by column.
    """
    counts = counts if counts.shape[0] <= counts.shape[1] else counts.T
    order = np.argsort(counts.sum(axis=0))[::-1]  # the largest column is what the others leave: fewer tables in between
    left = counts.sum(axis=1)[None, :]
    weight = np.zeros(1)
    for total in counts.sum(axis=0)[order[1:]]:
        grown = ways_to_take(left, int(total))
        if grown is None:
            return None
        source, cells = grown
        left = left[source] - cells
        weight = weight[source] - special.gammaln(cells + 1.0).sum(axis=1)
    weight = weight - special.gammaln(left + 1.0).sum(axis=1)
    here = -float(special.gammaln(counts + 1.0).sum())
    chance = np.exp(weight - special.logsumexp(weight))
    return min(1.0, float(chance[weight <= here + 1e-7].sum()))  # R's tolerance for tables as likely as this one


def ways_to_take(left: NDArray[np.int64], total: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Every way to take `total` patients out of what each unfinished table (a row of `left`) has left: whence, and how many."""
    source = np.arange(len(left))
    open_ = np.full(len(left), total)
    cells = np.empty((len(left), 0), dtype=np.int64)
    for i in range(left.shape[1]):
        low = np.maximum(0, open_ - left[source, i + 1 :].sum(axis=1))
        high = np.minimum(left[source, i], open_)
        ways = np.maximum(high - low + 1, 0)
        if ways.sum() > _MOST_TABLES:
            return None
        parent = np.repeat(np.arange(len(source)), ways)
        taken = low[parent] + np.arange(len(parent)) - np.repeat(np.cumsum(ways) - ways, ways)
        source, open_ = source[parent], open_[parent] - taken
        cells = np.column_stack([cells[parent], taken])
    return source, cells


def conditional_odds_ratio(table: ArrayLike, confidence: float = 0.95) -> Interval:
    """Odds ratio of a 2 x 2 table by conditional maximum likelihood with its exact interval, as R's `fisher.test`."""
    counts = np.asarray(table, dtype=np.int64)
    if counts.shape != (2, 2):
        raise TableError(f"an odds ratio needs a 2 x 2 table; got shape {counts.shape}")
    if (counts.sum(axis=0) == 0).any() or (counts.sum(axis=1) == 0).any():
        return Interval(_NAN, _NAN, _NAN, "not computed: a row or column is empty")
    result = stats.contingency.odds_ratio(counts, kind="conditional")
    limits = result.confidence_interval(confidence)
    return Interval(float(result.statistic), float(limits.low), float(limits.high), "conditional likelihood, exact")


def standardised_difference(a: ArrayLike, b: ArrayLike) -> float:
    """Difference of two means (second minus first) in units of sqrt of the mean variance; NaN if nothing varies."""
    x, z = _present(a), _present(b)
    if min(x.size, z.size) < 2:
        return _NAN
    variance = (x.var(ddof=1) + z.var(ddof=1)) / 2
    return float((z.mean() - x.mean()) / np.sqrt(variance)) if variance > 0 else _NAN


def standardised_difference_share(first: float, second: float) -> float:
    """Standardised difference of two shares (second minus first); NaN if both are 0 or 1."""
    variance = (first * (1 - first) + second * (1 - second)) / 2
    return (second - first) / float(np.sqrt(variance)) if variance > 0 else _NAN


Adjustment = Literal["holm", "hommel", "bonferroni", "benjamini-hochberg", "benjamini-yekutieli"]
"""How p-values are adjusted for their number: three family-wise ways, two of the false discovery rate."""


def adjust_p(p: ArrayLike, method: Adjustment) -> Array:
    """p-values adjusted for their number: family-wise (holm, hommel, bonferroni) or false discovery rate (the others).

    Missing p-values stay missing and are not counted.
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, _NAN)
    there = np.flatnonzero(~np.isnan(values))
    m = there.size
    if not m:
        return adjusted
    order = there[np.argsort(values[there], kind="stable")]
    sorted_p = values[order]
    rank = np.arange(1, m + 1)
    if method == "bonferroni":
        result = sorted_p * m
    elif method == "holm":
        result = np.maximum.accumulate(sorted_p * (m - rank + 1))
    elif method == "hommel":
        result = _hommel(sorted_p)
    elif method in {"benjamini-hochberg", "benjamini-yekutieli"}:
        factor = float(np.sum(1 / rank)) if method == "benjamini-yekutieli" else 1.0
        result = np.minimum.accumulate((sorted_p * factor * m / rank)[::-1])[::-1]
    else:
        raise TableError(f"unknown adjustment {method!r}. Known: {', '.join(get_args(Adjustment))}")
    adjusted[order] = np.minimum(result, 1.0)
    return adjusted


def _hommel(p: Array) -> Array:
    """Hommel's adjustment of rising p-values (Biometrika 1988;75:383): Simes' test of every intersection they belong to."""
    n = p.size
    adjusted = np.full(n, float(np.min(n * p / np.arange(1, n + 1))))
    for size in range(n - 1, 1, -1):
        first, last = p[: n - size + 1], p[n - size + 1 :]
        smallest = float(np.min(size * last / np.arange(2, size + 1)))
        within = np.minimum(size * first, smallest)
        adjusted = np.maximum(adjusted, np.r_[within, np.full(last.size, within[-1])])
    return np.maximum(adjusted, p)
