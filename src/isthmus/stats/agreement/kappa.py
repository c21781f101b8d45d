"""Agreement of classes beyond chance.

Kappa depends on how common the classes are, so observed agreement and both marginals come with it.

References
----------
Cohen, Educ Psychol Meas 20:37-46, 1960, and Psychological Bulletin 70:213-220, 1968 (weights). Standard errors: Fleiss,
Cohen and Everitt, Psychological Bulletin 72:323-327, 1969. Several raters: Fleiss, Psychological Bulletin 76:378-382, 1971.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError, first_few
from isthmus.stats.binary import Array
from isthmus.stats.interval import Interval

__all__ = ["Kappa", "Weights", "cohen_kappa", "fleiss_kappa"]

Weights = Literal["none", "linear", "quadratic"]


@dataclass(frozen=True, eq=False)
class Kappa:
    """kappa with its limits (large-sample, standard error `se` where kappa is not 0), the test of kappa = 0 (`z`, `p`, with
    the standard error under that hypothesis, `se_null`), observed and expected agreement, and the share of each class by rater
    (shape (raters, classes))."""

    interval: Interval
    se: float
    se_null: float
    z: float
    p: float
    observed: float
    expected: float
    classes: tuple[Any, ...]
    marginals: Array

    @property
    def estimate(self) -> float:
        return self.interval.estimate


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: Weights = "none",
    classes: Sequence[Any] | None = None,
    confidence: float = 0.95,
) -> Kappa:
    """Agreement of two raters on the same subjects.

    Parameters
    ----------
    first, second : array, shape (n,)
        The class each rater gave.
    weights : {"none", "linear", "quadratic"}
        How far apart two classes are: not at all or wholly, by their distance, by its square.
    classes : sequence, optional
        In order; matters for weights. By default those that occur, sorted.
    confidence : float

    Raises
    ------
    TableError
        Lengths differ, nobody is rated, or a class is not in `classes`.
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise TableError(f"kappa needs two ratings of each subject; got {a.shape} and {b.shape}")
    known = tuple(sorted({*a.tolist(), *b.tolist()})) if classes is None else tuple(classes)
    table = _shares(a, b, known)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    agreement = _agreement_weights(len(known), weights)
    observed, expected = float((agreement * table).sum()), float((agreement * np.outer(rows, columns)).sum())
    method = f"Cohen's kappa, {weights if weights != 'none' else 'no'} weights; limits by Fleiss, Cohen and Everitt"
    if expected >= 1:
        undefined = Interval(
            float("nan"), float("nan"), float("nan"), f"{method}: undefined, all ratings are one class"
        )
        nan = float("nan")
        return Kappa(undefined, nan, nan, nan, nan, observed, expected, known, np.stack([rows, columns]))
    kappa = (observed - expected) / (1 - expected)
    towards = (agreement @ columns)[:, None] + (rows @ agreement)[None, :]
    inner = (table * (agreement - towards * (1 - kappa)) ** 2).sum()
    n = a.size
    variance = (inner - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
    null = ((np.outer(rows, columns) * (agreement - towards) ** 2).sum() - expected**2) / (n * (1 - expected) ** 2)
    return _result(kappa, variance, null, observed, expected, known, np.stack([rows, columns]), confidence, method)


def fleiss_kappa(ratings: ArrayLike, *, confidence: float = 0.95) -> Kappa:
    """Agreement of several raters, each subject rated the same number of times.

    Parameters
    ----------
    ratings : array, shape (subjects, raters)
        The class each rater gave.
    confidence : float

    Notes
    -----
    The limits use the standard error under no agreement, as Fleiss gives no other.
    """
    table = np.asarray(ratings)
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
        raise TableError(f"Fleiss' kappa needs subjects by two or more raters; got the shape {table.shape}")
    n, k = table.shape
    known = tuple(sorted(set(table.ravel().tolist())))
    counts = np.stack([(table == label).sum(axis=1) for label in known], axis=1).astype(np.float64)
    share = counts.sum(axis=0) / (n * k)
    observed = float(((counts**2).sum(axis=1) - k).sum() / (n * k * (k - 1)))
    expected = float((share**2).sum())
    marginals = np.stack([(table == label).mean(axis=0) for label in known], axis=1)
    if expected >= 1:
        nan = float("nan")
        undefined = Interval(nan, nan, nan, "Fleiss' kappa: undefined, all ratings are one class")
        return Kappa(undefined, nan, nan, nan, nan, observed, expected, known, marginals)
    kappa = (observed - expected) / (1 - expected)
    spread = (share * (1 - share)).sum()
    null = 2 * (spread**2 - (share * (1 - share) * (1 - 2 * share)).sum()) / (spread**2 * n * k * (k - 1))
    return _result(kappa, null, null, observed, expected, known, marginals, confidence, "Fleiss' kappa")


def _result(
    kappa: float, variance: float, null: float, observed: float, expected: float, known: tuple[Any, ...],
    marginals: Array, confidence: float, method: str,
) -> Kappa:  # fmt: skip
    se, se_null = float(np.sqrt(max(variance, 0.0))), float(np.sqrt(max(null, 0.0)))
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * se
    z = kappa / se_null if se_null else float("nan")
    interval = Interval(float(kappa), max(kappa - half, -1.0), min(kappa + half, 1.0), method)
    return Kappa(
        interval, se, se_null, float(z), float(2 * stats.norm.sf(abs(z))), observed, expected, known, marginals
    )


def _shares(a: Any, b: Any, known: tuple[Any, ...]) -> Array:
    """How often each pair of classes was given, as shares; rows are the first rater's."""
    position = {label: index for index, label in enumerate(known)}
    strange = sorted({str(label) for label in [*a.tolist(), *b.tolist()] if label not in position})
    if strange:
        raise TableError(f"kappa: classes {first_few(strange)} are not among {', '.join(map(str, known))}")
    table = np.zeros((len(known), len(known)))
    for one, other in zip(a.tolist(), b.tolist(), strict=True):
        table[position[one], position[other]] += 1
    result: Array = table / a.size
    return result


def _agreement_weights(classes: int, weights: Weights) -> Array:
    """1 for the same class, 0 for the farthest apart."""
    distance = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))).astype(np.float64)
    if weights == "none":
        return np.asarray(distance == 0, dtype=np.float64)
    scaled = distance / max(classes - 1, 1)
    return 1 - (scaled if weights == "linear" else scaled**2)
