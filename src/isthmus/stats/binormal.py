"""The binormal ROC curve: a straight line on normal-deviate axes, and the variance of its area.

Obuchowski and McClish, Stat Med 1997;16:1529, equation 4 with the parameters pROC puts into it (a least-squares line through
the empirical points), so that its numbers can be compared. DeLong's variance is the one that is reported.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.stats.binary import check_scores
from isthmus.stats.roc import roc_curve

__all__ = ["binormal_line", "obuchowski_variance"]


def binormal_line(y: ArrayLike, score: ArrayLike) -> tuple[float, float]:
    """Intercept and slope of the line through the empirical points: deviate of the specificity on that of the sensitivity.

    NaN with fewer than two points inside the unit square.
    """
    curve = roc_curve(y, score)
    specificity, sensitivity = stats.norm.ppf(1 - curve.fpr), stats.norm.ppf(curve.tpr)
    inside = np.isfinite(specificity) & np.isfinite(sensitivity)
    if inside.sum() < 2 or np.ptp(sensitivity[inside]) == 0:
        return float("nan"), float("nan")
    slope, intercept = np.polyfit(sensitivity[inside], specificity[inside], 1)
    return float(intercept), float(slope)


def obuchowski_variance(y: ArrayLike, score: ArrayLike) -> float:
    """Variance of the area under the binormal curve of a score."""
    event, _ = check_scores(y, score)
    a, b = binormal_line(y, score)
    events = int(event.sum())
    ratio = (event.size - events) / events
    square = 1 + b**2
    height = np.exp(-(a**2) / (2 * square))
    by_a = height / np.sqrt(2 * np.pi * square)
    by_b = -height * a * b / np.sqrt(2 * np.pi * square**3)
    return float((by_a**2 * (1 + b**2 / ratio + a**2 / 2) + by_b**2 * b**2 * (1 + ratio) / (2 * ratio)) / events)
