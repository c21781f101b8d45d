"""Precision and recall against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from isthmus.errors import TableError
from isthmus.stats.precision_recall import average_precision, precision_recall_curve

RNG = np.random.default_rng(1)
Y = RNG.random(60) < 0.3
S = np.round(RNG.normal(size=60) + Y, 1)


def test_average_precision() -> None:
    """The area under the steps is scikit-learn's, ties included."""
    assert average_precision(Y, S) == pytest.approx(metrics.average_precision_score(Y, S), abs=1e-12)


def test_curve() -> None:
    """Every point is scikit-learn's (which lists them from the lowest threshold up, and adds the end)."""
    precision, recall, thresholds = metrics.precision_recall_curve(Y, S)
    curve = precision_recall_curve(Y, S)[::-1]
    np.testing.assert_allclose(curve["precision"], precision[:-1])
    np.testing.assert_allclose(curve["recall"], recall[:-1])
    np.testing.assert_allclose(curve["threshold"], thresholds)


def test_no_events_is_refused() -> None:
    """Without events there is nothing to recall."""
    with pytest.raises(TableError, match="none"):
        precision_recall_curve([0, 0], [0.1, 0.2])
