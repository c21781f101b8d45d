"""One test for every column of a table at once: screens of hundreds of features cost milliseconds.

Each number is that of the function of the same name in `stats.groups` (chi-square: on the binned column), column by column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.constant import constant_columns
from isthmus.stats.groups import chi_square

__all__ = ["Screen", "UnivariateTest", "screen"]

UnivariateTest = Literal["student_t", "welch_t", "mann_whitney", "auc", "anova", "kruskal", "chi_square"]

_TWO_CLASSES = frozenset({"student_t", "welch_t", "mann_whitney", "auc"})
_EXACT_BELOW = 50
_MOST_VALUES = 10  # a column with more distinct values is cut at its quartiles before chi-square


@dataclass(frozen=True, eq=False)
class Screen:
    """What a test says of each column.

    Parameters
    ----------
    statistic : array, shape (p,)
        t, U of the first class, AUC of the last class, F, H or chi-square; 0 (AUC 0.5) for a constant column.
    p : array, shape (p,)
        1 for a constant column.
    strength : array, shape (p,)
        Larger is a stronger relation; what columns are ranked by (|t|, |z|, |AUC - 0.5|, F, H, -log p of chi-square).
    """

    statistic: Array
    p: Array
    strength: Array


def screen(columns: ArrayLike, classes: ArrayLike, test: UnivariateTest = "anova") -> Screen:
    """Test every column for a difference between the classes.

    Parameters
    ----------
    columns : array, shape (n, p)
        Complete and finite.
    classes : array, shape (n,)
        Two for `student_t`, `welch_t`, `mann_whitney`, `auc` (whose p is that of Mann-Whitney); two or more otherwise.
    test : str

    Raises
    ------
    TableError
        An unknown test, one class only, or more classes than the test is for.
    """
    values = np.asarray(columns, dtype=np.float64)
    labels, codes = np.unique(np.asarray(classes), return_inverse=True)
    if test not in get_args(UnivariateTest):
        raise TableError(f"unknown test {test!r}. Known: {', '.join(get_args(UnivariateTest))}")
    if len(labels) < 2 or (test in _TWO_CLASSES and len(labels) > 2):
        wanted = "two classes" if test in _TWO_CLASSES else "two classes or more"
        raise TableError(f"the test {test!r} compares {wanted}; there are {len(labels)}")
    constant = constant_columns(values)
    found = _TESTS[test](values, codes)
    idle = 0.5 if test == "auc" else 0.0
    return Screen(
        np.where(constant, idle, found.statistic),
        np.where(constant, 1.0, found.p),
        np.where(constant, 0.0, found.strength),
    )


def _t(values: Array, codes: NDArray[np.intp], *, equal_variances: bool) -> Screen:
    a, b = values[codes == 0], values[codes == 1]
    va, vb = a.var(axis=0, ddof=1), b.var(axis=0, ddof=1)
    na, nb = len(a), len(b)
    with np.errstate(divide="ignore", invalid="ignore"):
        if equal_variances:
            df = np.full(values.shape[1], na + nb - 2.0)
            error = np.sqrt(((na - 1) * va + (nb - 1) * vb) / (na + nb - 2) * (1 / na + 1 / nb))
        else:
            df = (va / na + vb / nb) ** 2 / ((va / na) ** 2 / (na - 1) + (vb / nb) ** 2 / (nb - 1))
            df = np.where(np.isnan(df), 1.0, df)  # no variation in either class: t is infinite whatever df
            error = np.sqrt(va / na + vb / nb)
        t = (a.mean(axis=0) - b.mean(axis=0)) / error
    return Screen(t, 2 * stats.t.sf(np.abs(t), df), np.abs(t))


def _anova(values: Array, codes: NDArray[np.intp]) -> Screen:
    grand = values.mean(axis=0)
    between, within = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    groups = int(codes.max()) + 1
    for label in range(groups):
        part = values[codes == label]
        centre = part.mean(axis=0)
        between += len(part) * (centre - grand) ** 2
        within += ((part - centre) ** 2).sum(axis=0)
    df_between, df_within = groups - 1, len(values) - groups
    with np.errstate(divide="ignore", invalid="ignore"):
        f = (between / df_between) / (within / df_within)
    return Screen(f, stats.f.sf(f, df_between, df_within), f)


def _ranks(values: Array) -> tuple[Array, Array]:
    """Midranks (n, p), and the sum of t³ - t over the ties of each column (p,)."""
    lowest = stats.rankdata(values, method="min", axis=0)
    highest = stats.rankdata(values, method="max", axis=0)
    tied = (highest - lowest + 1).astype(np.float64)
    return (lowest + highest) / 2.0, (tied**2 - 1).sum(axis=0)


def _mann_whitney(values: Array, codes: NDArray[np.intp]) -> Screen:
    ranks, ties = _ranks(values)
    a = int((codes == 0).sum())
    n, b = len(codes), len(codes) - a
    u = ranks[codes == 0].sum(axis=0) - a * (a + 1) / 2
    away = np.abs(u - a * b / 2)
    spread = np.sqrt(a * b / 12 * ((n + 1) - ties / (n * (n - 1))))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (away - 0.5) / spread
    p = np.minimum(1.0, 2 * stats.norm.sf(z))
    exact = np.flatnonzero(ties == 0)
    if max(a, b) < _EXACT_BELOW and exact.size:
        first, second = values[codes == 0][:, exact], values[codes == 1][:, exact]
        p[exact] = np.minimum(1.0, stats.mannwhitneyu(first, second, method="exact", axis=0).pvalue)
    return Screen(u, p, np.maximum(z, 0.0) + away * 1e-9)  # the second term tells columns apart whose z is 0


def _auc(values: Array, codes: NDArray[np.intp]) -> Screen:
    found = _mann_whitney(values, codes)
    pairs = float((codes == 0).sum() * (codes == 1).sum())
    area = 1.0 - found.statistic / pairs
    return Screen(area, found.p, np.abs(area - 0.5))


def _kruskal(values: Array, codes: NDArray[np.intp]) -> Screen:
    ranks, ties = _ranks(values)
    n, groups = len(codes), int(codes.max()) + 1
    squares = np.zeros(values.shape[1])
    for label in range(groups):
        part = ranks[codes == label]
        squares += part.sum(axis=0) ** 2 / len(part)
    with np.errstate(divide="ignore", invalid="ignore"):
        h = (12.0 / (n * (n + 1)) * squares - 3 * (n + 1)) / (1.0 - ties / (float(n) ** 3 - n))
    return Screen(h, stats.chi2.sf(h, groups - 1), h)


def _chi_square(values: Array, codes: NDArray[np.intp]) -> Screen:
    p = values.shape[1]
    statistic, df = np.zeros(p), np.ones(p)
    groups = int(codes.max()) + 1
    for j, column in enumerate(values.T):
        levels, which = np.unique(column, return_inverse=True)
        if len(levels) > _MOST_VALUES:
            which = np.searchsorted(np.quantile(column, [0.25, 0.5, 0.75]), column)
            levels = np.unique(which)
            which = np.searchsorted(levels, which)
        if len(levels) < 2:
            continue
        counts = np.bincount(which * groups + codes, minlength=len(levels) * groups).reshape(len(levels), groups)
        if counts.shape == (2, 2):
            statistic[j] = chi_square(counts).statistic  # Yates' correction
            continue
        expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / len(codes)
        statistic[j] = ((counts - expected) ** 2 / expected).sum()
        df[j] = (len(levels) - 1) * (groups - 1)
    return Screen(statistic, stats.chi2.sf(statistic, df), -stats.chi2.logsf(statistic, df))


_TESTS = {
    "student_t": lambda values, codes: _t(values, codes, equal_variances=True),
    "welch_t": lambda values, codes: _t(values, codes, equal_variances=False),
    "mann_whitney": _mann_whitney,
    "auc": _auc,
    "anova": _anova,
    "kruskal": _kruskal,
    "chi_square": _chi_square,
}
