"""Minimum redundancy, maximum relevance: the greedy order of columns, by three estimators that choose differently."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.constant import constant_columns
from isthmus.stats.mutual_information import binned_information, three_bins
from isthmus.stats.univariate import screen

__all__ = ["MrmrMeasure", "mrmr"]

MrmrMeasure = Literal["fcq", "mutual_information", "correlation"]

_LEAST_REDUNDANCY = 1e-3  # a quotient needs a denominator; below this |r| columns count as unrelated


def mrmr(columns: ArrayLike, classes: ArrayLike, k: int, measure: MrmrMeasure = "fcq") -> tuple[list[int], list[float]]:
    """The first k columns in the order in which they are chosen, and the score each had when it was.

    Parameters
    ----------
    columns : array, shape (n, p)
    classes : array, shape (n,)
    k : int
        At most p are chosen; constant columns never.
    measure : {"fcq", "mutual_information", "correlation"}
        fcq: F of the analysis of variance over the mean |r| with the columns chosen so far. mutual_information: information
        with the class minus the mean information with those columns, over three bins (mean +- sd / 2). correlation: the
        same difference with -ln(1 - r²) / 2 as the information (two classes).

    References
    ----------
    Peng, Long and Ding, IEEE Trans Pattern Anal 2005;27:1226. Ding and Peng, J Bioinform Comput Biol 2005;3:185 (FCQ).
    """
    if measure not in get_args(MrmrMeasure):
        raise TableError(f"unknown measure {measure!r}. Known: {', '.join(get_args(MrmrMeasure))}")
    values = np.asarray(columns, dtype=np.float64)
    _, codes = np.unique(np.asarray(classes), return_inverse=True)
    constant = constant_columns(values)
    standard = _standardised(values, constant)
    binned = three_bins(values) if measure == "mutual_information" else np.empty((0, 0), dtype=np.int64)
    if measure == "fcq":
        relevance = screen(values, codes, "anova").statistic
    elif measure == "mutual_information":
        relevance = binned_information(binned, codes)
    else:
        own = codes.astype(np.float64)[:, None]
        relevance = _gaussian_information(standard.T @ _standardised(own, constant_columns(own))[:, 0])
    chosen: list[int] = []
    scores: list[float] = []
    redundancy = np.zeros(values.shape[1])
    free = ~constant
    while len(chosen) < k and free.any():
        score = _score(relevance, redundancy, len(chosen), measure)
        best = int(np.argmax(np.where(free, score, -np.inf)))
        chosen.append(best)
        scores.append(float(score[best]))
        free[best] = False
        redundancy += _redundancy(best, standard, binned, measure)
    return chosen, scores


def _score(relevance: Array, redundancy: Array, count: int, measure: MrmrMeasure) -> Array:
    if not count:
        return relevance
    mean = redundancy / count
    return relevance / np.maximum(mean, _LEAST_REDUNDANCY) if measure == "fcq" else relevance - mean


def _redundancy(which: int, standard: Array, binned: NDArray[np.int64], measure: MrmrMeasure) -> Array:
    """What each column shares with one of them."""
    if measure == "mutual_information":
        return binned_information(binned, binned[:, which])
    related = standard.T @ standard[:, which]
    return np.abs(related) if measure == "fcq" else _gaussian_information(related)


def _gaussian_information(related: Array) -> Array:
    square = np.minimum(related**2, 1.0 - 1e-12)  # copies share much, not infinitely much: the sum must stay a number
    information: Array = -0.5 * np.log1p(-square)
    return information


def _standardised(values: Array, constant: NDArray[np.bool_]) -> Array:
    """Centred columns of length 1; constant ones 0."""
    centred = values - values.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0))
    return np.where(constant, 0.0, centred / np.where(constant | (norm == 0), 1.0, norm))
