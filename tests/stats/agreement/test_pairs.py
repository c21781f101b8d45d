"""Concordance, cosine similarity, limits of agreement."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.agreement import bland_altman, cosine_similarity, lin_ccc


def test_concordance_is_correlation_times_accuracy():
    """Lin's CCC is Pearson's correlation when means and variances are equal, and less when one rater is shifted."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=(50, 1))
    assert lin_ccc(a, a + 1)[0] == pytest.approx(2 * a.var() / (2 * a.var() + 1))


def test_cosine_ignores_location():
    """Two unrelated positive measurements look alike until they are centred: the reason for the caution."""
    rng = np.random.default_rng(2)
    a, b = 100 + rng.normal(size=(2, 500, 1))
    assert cosine_similarity(a, b)[0] > 0.999
    assert abs(cosine_similarity(a, b, centred=True)[0]) < 0.15


def test_limits_of_agreement_hold_95_per_cent():
    """Of many differences 95 % lie between the limits."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 20_000))
    found = bland_altman(a, b)
    assert ((b - a > found.lower) & (b - a < found.upper)).mean() == pytest.approx(0.95, abs=0.005)


def test_bias_is_second_minus_first():
    """The sign says who reads higher."""
    assert bland_altman([1.0, 2.0, 3.0], [1.5, 2.5, 3.6]).bias[0] == pytest.approx(0.5333333333)


def test_lengths_must_agree():
    """Two measurements of different subjects cannot be compared."""
    with pytest.raises(TableError, match="the same subjects"):
        lin_ccc([1.0, 2.0], [1.0])
