"""Variance inflation: how much wider an interval is because a predictor can be told from the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["model_vif", "vif"]


def vif(columns: ArrayLike) -> Array:
    """The linear form 1 / (1 - R²) of each column on all others: shape (p,).

    Parameters
    ----------
    columns : array, shape (n, p)
        Complete. The diagonal of the inverse of their correlation matrix is the same number.

    Raises
    ------
    TableError
        There are not more rows than columns, or a column is constant or a combination of others (its VIF is infinite).
    """
    values = np.asarray(columns, dtype=np.float64)
    n, p = values.shape
    if n <= p:
        raise TableError(
            f"VIF: {n} rows for {p} columns; every VIF is infinite unless there are more rows than columns"
        )
    return model_vif(np.cov(values, rowvar=False).reshape(p, p), [[column] for column in range(p)])


def model_vif(covariance: ArrayLike, terms: Sequence[Sequence[int]]) -> Array:
    """The generalised form det(R11) det(R22) / det(R) of each term of a fitted model: shape (number of terms,).

    Parameters
    ----------
    covariance : array, shape (k, k)
        Of the coefficients, without the intercept (of the columns instead: the linear form of `vif`, since R and its
        inverse play the same part).
    terms : sequence of sequences of int
        Positions of the coefficients of each term: one for a number, several for the indicators of a category. Of a term
        with one coefficient this is the VIF, of one with several the GVIF.

    References
    ----------
    Fox and Monette, J Am Stat Assoc 1992;87:178.
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    spread = np.sqrt(np.diag(matrix))
    if (spread == 0).any() or not np.isfinite(matrix).all():
        raise TableError("VIF: something does not vary (a constant column, or a coefficient without a standard error)")
    related = matrix / np.outer(spread, spread)
    values = np.linalg.eigvalsh(related)
    if values[0] <= len(related) * np.finfo(np.float64).eps * values[-1]:
        raise TableError("VIF: a column is a combination of others, so its VIF is infinite; leave it out")
    whole = _log_determinant(related)
    found = np.empty(len(terms))
    for place, term in enumerate(terms):
        rest = np.setdiff1d(np.arange(len(related)), term)
        found[place] = np.exp(
            _log_determinant(related[np.ix_(term, term)]) + _log_determinant(related[np.ix_(rest, rest)]) - whole
        )
    return found


def _log_determinant(matrix: Array) -> float:
    return float(np.linalg.slogdet(matrix)[1])
