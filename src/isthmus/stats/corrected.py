"""Comparing and bounding scores of repeated cross-validation, whose folds share most of their training patients.

Nadeau and Bengio, Machine Learning 2003;52:239: the plain t-test over folds has too small a variance; the correction
adds n_test / n_train to 1 / k.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison
from isthmus.stats.interval import Interval

__all__ = ["corrected_interval", "corrected_resampled_t", "five_by_two_f"]

_NAN = float("nan")


def _finite(values: ArrayLike) -> Array:
    """The folds where the score is defined."""
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[np.isfinite(numbers)]


def _standard_error(values: Array, test_train_ratio: float) -> float:
    """sqrt((1/k + n_test/n_train) s^2)."""
    return float(np.sqrt((1 / values.size + test_train_ratio) * values.var(ddof=1)))


def corrected_resampled_t(differences: ArrayLike, *, test_train_ratio: float) -> Comparison:
    """Do two models differ over the folds of repeated cross-validation? (corrected resampled t)

    Parameters
    ----------
    differences : array of shape (k,)
        Score of model A minus that of model B per outer fold, over all repeats; undefined folds (NaN) are left out.
    test_train_ratio : float
        Mean number of test patients over mean number of training patients: 1 / (folds - 1).
    """
    d = _finite(differences)
    method = f"corrected resampled t over {d.size} folds"
    if d.size < 2:
        return Comparison(_NAN, _NAN, f"{method}; not computed: fewer than two folds")
    se = _standard_error(d, test_train_ratio)
    if se <= 1e-12:
        if abs(d.mean()) <= 1e-12:
            return Comparison(0.0, 1.0, f"{method}; no difference in any fold", float(d.size - 1))
        return Comparison(_NAN, _NAN, f"{method}; not computed: the same difference in every fold")
    t = float(d.mean()) / se
    return Comparison(t, float(2 * stats.t.sf(abs(t), d.size - 1)), method, float(d.size - 1))


def corrected_interval(scores: ArrayLike, *, test_train_ratio: float, confidence: float = 0.95) -> Interval:
    """Mean score over folds with the corrected resampled t interval; limits are not cut at 0 and 1."""
    s = _finite(scores)
    if not s.size:
        return Interval(_NAN, _NAN, _NAN, "not computed: the score is defined in no fold")
    if s.size < 2:
        return Interval(float(s.mean()), _NAN, _NAN, "no interval: fewer than two folds")
    mean = float(s.mean())
    if np.ptp(s) <= 1e-12:
        return Interval(mean, _NAN, _NAN, f"no interval: the same score in all {s.size} folds")
    half = float(stats.t.ppf(0.5 + confidence / 2, s.size - 1)) * _standard_error(s, test_train_ratio)
    return Interval(mean, mean - half, mean + half, f"corrected resampled t over {s.size} folds (Nadeau-Bengio)")


def five_by_two_f(differences: ArrayLike) -> Comparison:
    """Do two models differ over five repeats of two folds? (combined 5 x 2 cv F test)

    Alpaydin, Neural Comput 1999;11:1885.

    Parameters
    ----------
    differences : array of shape (5, 2)
        Score of model A minus that of model B in each fold of each repeat.
    """
    d = np.asarray(differences, dtype=np.float64)
    method = "combined 5 x 2 cv F test"
    if d.shape != (5, 2) or not np.isfinite(d).all():
        return Comparison(_NAN, _NAN, f"{method}; not computed: it needs five repeats of two folds, all defined")
    variance = float(((d - d.mean(axis=1, keepdims=True)) ** 2).sum())
    if variance <= 1e-24:
        return Comparison(_NAN, _NAN, f"{method}; not computed: the same difference in both folds of every repeat")
    f = float((d**2).sum()) / (2 * variance)
    return Comparison(f, float(stats.f.sf(f, 10, 5)), method, 10.0)
