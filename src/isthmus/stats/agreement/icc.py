"""The intraclass correlation coefficient, in all its forms, of many features at once.

A form is a model and a unit. Model 1: every subject measured by other raters (random pairs); 2: the same raters for
all, and their differences count (absolute agreement); 3: the same raters, differences between them do not count
(consistency). Unit 1: one measurement; k: the mean of all k.

References
----------
Shrout and Fleiss, Psychological Bulletin 86:420-428, 1979. McGraw and Wong, Psychological Methods 1:30-46, 1996
(their names: ICC(1), ICC(A,1), ICC(C,1) and with k). Which to report: Koo and Li, J Chiropr Med 15:155-163, 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import PlanError, TableError, did_you_mean
from isthmus.stats.binary import Array
from isthmus.stats.constant import constant_columns

__all__ = ["FORMS", "Icc", "Limits", "form_name", "icc", "icc_class"]

FORMS = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")
_ALIASES = MappingProxyType({"A,1": "2,1", "C,1": "3,1", "A,k": "2,k", "C,k": "3,k", "1": "1,1", "k": "1,k"})

Limits = Literal["shrout-fleiss", "mcgraw-wong"]


@dataclass(frozen=True, eq=False)
class Icc:
    """One number a feature, arrays of shape (p,); NaN for a feature that is the same in every measurement.

    `statistic`, `df1`, `df2`, `p`: the F test of ICC = 0.
    """

    form: str
    estimate: Array
    lower: Array
    upper: Array
    statistic: Array
    df1: Array
    df2: Array
    p: Array
    subjects: int
    raters: int


class _Squares(NamedTuple):
    """Mean squares: of subjects, of raters, of the residual, and within subjects (one-way)."""

    subjects: Array
    raters: Array
    error: Array
    within: Array
    n: int
    k: int


def icc(values: ArrayLike, form: str = "2,1", *, confidence: float = 0.95, limits: Limits = "shrout-fleiss") -> Icc:
    """The ICC of every feature, with its confidence limits.

    Parameters
    ----------
    values : array, shape (subjects, raters) or (subjects, raters, features)
        Complete.
    form : str
        "1,1", "2,1", "3,1", "1,k", "2,k" or "3,k"; also "ICC(2,1)" and the names of McGraw and Wong ("A,1", "C,k" ...).
    confidence : float
    limits : {"shrout-fleiss", "mcgraw-wong"}
        They differ in absolute agreement only. Shrout and Fleiss: the limits of the mean of k follow from those of one
        measurement (Spearman-Brown), the F test has (n - 1)(k - 1) degrees of freedom. McGraw and Wong: the mean of k has
        Satterthwaite degrees of freedom of its own, and so has the test.

    Raises
    ------
    TableError
        Fewer than two subjects or raters, or a missing value.
    PlanError
        An unknown form.
    """
    form = form_name(form)
    table = np.asarray(values, dtype=np.float64)
    table = table[:, :, None] if table.ndim == 2 else table
    if table.ndim != 3 or table.shape[0] < 2 or table.shape[1] < 2:
        raise TableError(f"an ICC needs at least 2 subjects and 2 measurements of each; got the shape {table.shape}")
    if not np.isfinite(table).all():
        raise TableError("an ICC needs complete measurements; leave out the subjects that lack one")
    squares = _mean_squares(table)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = {"1": _one_way, "2": _agreement, "3": _consistency}[form[0]](
            squares, form[2] == "k", 1 - confidence, limits
        )
    constant = constant_columns(table.reshape(-1, table.shape[2]))
    estimate, lower, upper, statistic, df1, df2, p = (np.where(constant, np.nan, part) for part in parts)
    return Icc(form, estimate, lower, upper, statistic, df1, df2, p, squares.n, squares.k)


def form_name(text: str) -> str:
    """The form as it is named here ("ICC(A,1)" is "2,1"); `PlanError` where there is none."""
    plain = text.removeprefix("ICC(").removeprefix("ICC").removesuffix(")").replace(" ", "")
    plain = _ALIASES.get(plain, plain)
    if plain not in FORMS:
        raise PlanError(f"ICC form {text!r} is not known.{did_you_mean(plain, FORMS)}")
    return plain


def _mean_squares(table: Array) -> _Squares:
    n, k, _ = table.shape
    centred = table - table.mean(axis=(0, 1))
    rows, columns = centred.mean(axis=1), centred.mean(axis=0)
    residual = centred - rows[:, None, :] - columns
    within = centred - rows[:, None, :]
    return _Squares(
        subjects=k * (rows**2).sum(axis=0) / (n - 1),
        raters=n * (columns**2).sum(axis=0) / (k - 1),
        error=(residual**2).sum(axis=(0, 1)) / ((n - 1) * (k - 1)),
        within=(within**2).sum(axis=(0, 1)) / (n * (k - 1)),
        n=n,
        k=k,
    )


Parts = tuple[Array, Array, Array, Array, Array, Array, Array]


def _one_way(s: _Squares, mean: bool, alpha: float, limits: Limits) -> Parts:
    return _exact(s.subjects / s.within, s, s.n * (s.k - 1), mean, alpha)


def _consistency(s: _Squares, mean: bool, alpha: float, limits: Limits) -> Parts:
    return _exact(s.subjects / s.error, s, (s.n - 1) * (s.k - 1), mean, alpha)


def _exact(f: Array, s: _Squares, df2: int, mean: bool, alpha: float) -> Parts:
    """Estimate and exact limits from the F ratio: (F - 1) / (F + k - 1), or 1 - 1 / F for the mean of k."""

    def from_ratio(ratio: Any) -> Array:
        found: Array = 1 - 1 / ratio if mean else (ratio - 1) / (ratio + s.k - 1)
        return np.where(np.isinf(ratio), 1.0, found)

    df1 = s.n - 1
    lower = f / stats.f.ppf(1 - alpha / 2, df1, df2)
    upper = f * stats.f.ppf(1 - alpha / 2, df2, df1)
    p = stats.f.sf(f, df1, df2)
    return from_ratio(f), from_ratio(lower), from_ratio(upper), f, _full(df1, f), _full(df2, f), p


def _agreement(s: _Squares, mean: bool, alpha: float, limits: Limits) -> Parts:
    n, k = s.n, s.k
    single = (s.subjects - s.error) / (s.subjects + (k - 1) * s.error + k * (s.raters - s.error) / n)
    average = (s.subjects - s.error) / (s.subjects + (s.raters - s.error) / n)
    estimate = average if mean else single
    own = mean and limits == "mcgraw-wong"
    df = _satterthwaite(s, average if own else single)
    low, high = stats.f.ppf(1 - alpha / 2, n - 1, df), stats.f.ppf(1 - alpha / 2, df, n - 1)
    if own:
        lower = n * (s.subjects - low * s.error) / (low * (s.raters - s.error) + n * s.subjects)
        upper = n * (high * s.subjects - s.error) / (s.raters - s.error + n * high * s.subjects)
    else:
        rest = k * s.raters + (k * n - k - n) * s.error
        lower = n * (s.subjects - low * s.error) / (low * rest + n * s.subjects)
        upper = n * (high * s.subjects - s.error) / (rest + n * high * s.subjects)
        if mean:
            lower, upper = (k * limit / (1 + (k - 1) * limit) for limit in (lower, upper))
    f = s.subjects / s.error
    df2 = df if limits == "mcgraw-wong" else _full((n - 1) * (k - 1), f)
    perfect = (s.error == 0) & (s.raters == 0)
    lower, upper = np.where(perfect, 1.0, lower), np.where(perfect, 1.0, upper)
    return estimate, lower, upper, f, _full(n - 1, f), df2, stats.f.sf(f, n - 1, df2)


def _satterthwaite(s: _Squares, rho: Array) -> Array:
    """Degrees of freedom of the denominator a MSC + b MSE (McGraw and Wong's a and b)."""
    a = s.k * rho / (s.n * (1 - rho))
    b = 1 + s.k * rho * (s.n - 1) / (s.n * (1 - rho))
    top = (a * s.raters + b * s.error) ** 2
    result: Array = top / ((a * s.raters) ** 2 / (s.k - 1) + (b * s.error) ** 2 / ((s.n - 1) * (s.k - 1)))
    return result


def _full(value: float, like: Array) -> Array:
    return np.full(like.shape, float(value))


def icc_class(value: float) -> str:
    """What an ICC, best its lower limit, is called: poor below 0.5, moderate below 0.75, good below 0.9, excellent; "" where it is NaN.

    References
    ----------
    Koo and Li, J Chiropr Med 15:155-163, 2016.
    """
    if np.isnan(value):
        return ""
    return "poor" if value < 0.5 else "moderate" if value < 0.75 else "good" if value < 0.9 else "excellent"
