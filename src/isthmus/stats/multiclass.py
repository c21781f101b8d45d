"""Three classes or more: discrimination, decisions and calibration; and what ordered classes add.

One against the rest: AUC of each class with DeLong's interval, averaged over classes (macro), by their size (weighted) or over
all pairs of patient and class (micro). Pairwise: Hand and Till, Machine Learning 2001;45:171. Ordered classes: ordinal C-index
(generalised C: Harrell's concordance without censoring), quadratic weighted kappa (Cohen 1968), mean absolute error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from isthmus.errors import TableError
from isthmus.stats import calibration, roc
from isthmus.stats.binary import Array
from isthmus.stats.interval import Interval

__all__ = [
    "ORDERED",
    "SUMMARIES",
    "ClassCalibration",
    "check_classes",
    "class_aucs",
    "class_calibration",
    "confusion_matrix",
    "confusion_table",
    "expected_class",
    "hand_till",
    "macro_auc",
    "micro_auc",
    "multinomial_brier",
    "ordinal_c",
    "quadratic_kappa",
    "weighted_class_auc",
]

_NAN = float("nan")


def check_classes(y: ArrayLike, probability: ArrayLike) -> tuple[NDArray[np.int64], Array]:
    """Class codes (n,), 0 to K - 1, and the probability of each class (n, K); each row must add up to 1 (within 1e-5)."""
    codes = np.asarray(y)
    p = np.asarray(probability, dtype=np.float64)
    if p.ndim != 2 or codes.shape != p.shape[:1]:
        raise TableError(f"{codes.shape} classes but probabilities of shape {p.shape}; expected one row a patient")
    if not np.all(np.equal(np.mod(codes, 1), 0)) or codes.min(initial=0) < 0 or codes.max(initial=0) >= p.shape[1]:
        raise TableError(f"classes must be whole numbers from 0 to {p.shape[1] - 1}, the position of the probability")
    if not np.isfinite(p).all() or (p < 0).any():
        raise TableError("probabilities are missing or negative; leave those patients out, and say so, first")
    total = p.sum(axis=1)
    if p.size and np.abs(total - 1).max() > 1e-5:
        raise TableError(f"the probabilities of a patient add up to {total[np.argmax(np.abs(total - 1))]}; expected 1")
    return codes.astype(np.int64), p


# ---- discrimination -----------------------------------------------------------------------------------------------


def class_aucs(y: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> list[Interval]:
    """AUC of each class against the rest, with DeLong's interval; NaN for a class that does not occur."""
    codes, p = check_classes(y, probability)
    return [roc.delong_interval(codes == k, p[:, k], confidence) for k in range(p.shape[1])]


def weighted_class_auc(codes: NDArray[np.int64], p: Array, weights: Array) -> Array:
    """AUC of each class against the rest under many sets of patient weights at once: shape (draws, K)."""
    return np.column_stack([roc.weighted_auc(codes == k, p[:, k], weights) for k in range(p.shape[1])])


def macro_auc(y: ArrayLike, probability: ArrayLike, *, by_size: bool = False) -> float:
    """Mean over the classes of the AUC against the rest, optionally weighted by the size of the class.

    NaN where a class does not occur.
    """
    codes, p = check_classes(y, probability)
    areas = np.array([roc.auc(codes == k, p[:, k]) for k in range(p.shape[1])])
    sizes = np.bincount(codes, minlength=p.shape[1])
    return float(np.average(areas, weights=sizes if by_size else None))


def micro_auc(y: ArrayLike, probability: ArrayLike) -> float:
    """AUC over all pairs of patient and class: is it his class?"""
    codes, p = check_classes(y, probability)
    return roc.auc((codes[:, None] == np.arange(p.shape[1])).ravel(), p.ravel())


def hand_till(y: ArrayLike, probability: ArrayLike) -> float:
    """Hand and Till's M: the mean over pairs of classes of how well each of the two probabilities separates them.

    NaN where a class does not occur.
    """
    codes, p = check_classes(y, probability)
    scores = []
    for i in range(p.shape[1]):
        for j in range(i + 1, p.shape[1]):
            both = (codes == i) | (codes == j)
            first = roc.auc(codes[both] == i, p[both, i])
            second = roc.auc(codes[both] == j, p[both, j])
            scores.append((first + second) / 2)
    return float(np.mean(scores))


# ---- ordered classes ----------------------------------------------------------------------------------------------


def expected_class(probability: ArrayLike) -> Array:
    """Mean class of each patient, the classes counted 0, 1, 2 ...: the score of an ordinal model."""
    p = np.asarray(probability, dtype=np.float64)
    total: Array = (p * np.arange(p.shape[1])).sum(axis=1)
    return total


def ordinal_c(y: ArrayLike, score: ArrayLike, weights: Array | None = None) -> Array:
    """Of two patients of different classes, how often the one of the higher class scores higher (ties half).

    Under many sets of patient weights (draws, n) at once; without, one value. Shape (draws,); NaN with one class.
    """
    codes, values = np.asarray(y, dtype=np.int64), np.asarray(score, dtype=np.float64)
    w = np.ones((1, codes.size)) if weights is None else np.atleast_2d(weights)
    top, bottom = np.zeros(len(w)), np.zeros(len(w))
    labels = np.unique(codes)
    for a, low in enumerate(labels):
        for high in labels[a + 1 :]:
            both = (codes == low) | (codes == high)
            upper = codes[both] == high
            count = w[:, both][:, upper].sum(axis=1) * w[:, both][:, ~upper].sum(axis=1)
            area = roc.weighted_auc(upper, values[both], w[:, both])
            top += np.where(count > 0, count * np.nan_to_num(area), 0.0)
            bottom += count
    return np.divide(top, bottom, out=np.full(len(w), _NAN), where=bottom > 0)


# ---- decisions ----------------------------------------------------------------------------------------------------


def confusion_matrix(y: ArrayLike, called: ArrayLike, n_classes: int) -> Array:
    """Patients by true class (rows) and called class (columns), shape (K, K)."""
    index = np.asarray(y, dtype=np.int64) * n_classes + np.asarray(called, dtype=np.int64)
    return np.bincount(index, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.float64)


def confusion_table(matrix: Array, classes: Sequence[str]) -> pd.DataFrame:
    """The matrix as a table: true, called, n, row_percent (of the true class)."""
    total = matrix.sum(axis=1)
    return pd.DataFrame(
        [
            {
                "true": classes[i],
                "called": classes[j],
                "n": float(matrix[i, j]),
                "row_percent": float(100 * matrix[i, j] / total[i]) if total[i] else _NAN,
            }
            for i in range(len(classes))
            for j in range(len(classes))
        ]
    )


def _parts(matrix: Array) -> tuple[Array, Array, Array, Array]:
    """Right calls of each class, patients of it, calls of it (..., K) and all patients (...,)."""
    return (
        np.diagonal(matrix, axis1=-2, axis2=-1),
        matrix.sum(axis=-1),
        matrix.sum(axis=-2),
        matrix.sum(axis=(-2, -1)),
    )


def _accuracy(matrix: Array) -> Array:
    right, _, _, total = _parts(matrix)
    return right.sum(axis=-1) / total


def _balanced_accuracy(matrix: Array) -> Array:
    """Mean sensitivity of the classes; NaN where a class has no patient."""
    right, true, _, _ = _parts(matrix)
    with np.errstate(invalid="ignore"):
        return np.asarray((right / true).mean(axis=-1))


def _macro_f1(matrix: Array) -> Array:
    """Mean F1 of the classes; a class neither seen nor called leaves it undefined."""
    right, true, called, _ = _parts(matrix)
    with np.errstate(invalid="ignore"):
        return np.asarray((2 * right / (true + called)).mean(axis=-1))


def _mcc(matrix: Array) -> Array:
    """Matthews' correlation for K classes (Gorodkin, Comput Biol Chem 2004;28:367)."""
    right, true, called, total = _parts(matrix)
    top = right.sum(axis=-1) * total - (true * called).sum(axis=-1)
    bottom = np.sqrt((total**2 - (true**2).sum(axis=-1)) * (total**2 - (called**2).sum(axis=-1)))
    return np.divide(top, bottom, out=np.full(np.shape(top), _NAN), where=bottom > 0)


def _mean_absolute_error(matrix: Array) -> Array:
    """Mean distance, in classes, of the called from the true class."""
    k = matrix.shape[-1]
    distance = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    return np.asarray((matrix * distance).sum(axis=(-2, -1)) / matrix.sum(axis=(-2, -1)))


def quadratic_kappa(matrix: Array) -> Array:
    """Cohen's kappa with quadratic weights of one or many matrices (..., K, K); NaN where only one class is seen."""
    k = matrix.shape[-1]
    distance = np.subtract.outer(np.arange(k), np.arange(k)).astype(np.float64) ** 2
    _, true, called, total = _parts(matrix)
    chance = true[..., :, None] * called[..., None, :] / np.expand_dims(total, (-2, -1))
    expected = (chance * distance).sum(axis=(-2, -1))
    seen = (matrix * distance).sum(axis=(-2, -1))
    return 1.0 - np.divide(seen, expected, out=np.full(np.shape(seen), _NAN), where=expected > 0)


SUMMARIES = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "macro_f1": _macro_f1,
    "mcc": _mcc,
}
"""Name -> formula of a confusion matrix (or of many, shape (..., K, K))."""

ORDERED = {"quadratic_kappa": quadratic_kappa, "mean_absolute_error": _mean_absolute_error}
"""Those that need ordered classes."""


# ---- probabilities ------------------------------------------------------------------------------------------------


def multinomial_brier(y: ArrayLike, probability: ArrayLike) -> Array:
    """Squared distance of each patient's probabilities from his class (0 to 2), shape (n,); its mean is the Brier
    score."""
    codes, p = check_classes(y, probability)
    truth = codes[:, None] == np.arange(p.shape[1])
    squared: Array = ((p - truth) ** 2).sum(axis=1)
    return squared


@dataclass(frozen=True, slots=True)
class ClassCalibration:
    """Calibration of one class against the rest."""

    slope: Interval
    intercept: Interval
    in_the_large: Interval


def class_calibration(y: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> list[ClassCalibration]:
    """Calibration slope, intercept and calibration in the large of each class against the rest."""
    codes, p = check_classes(y, probability)
    found = []
    for k in range(p.shape[1]):
        slope, intercept = calibration.calibration_slope(codes == k, p[:, k], confidence)
        found.append(
            ClassCalibration(slope, intercept, calibration.calibration_in_the_large(codes == k, p[:, k], confidence))
        )
    return found
