"""Kappa: what it is at its ends, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from isthmus.errors import TableError
from isthmus.stats.agreement import cohen_kappa, fleiss_kappa


@pytest.mark.parametrize(("ours", "theirs"), [("none", None), ("linear", "linear"), ("quadratic", "quadratic")])
def test_value_is_that_of_scikit_learn(ours, theirs):
    """Another implementation gives the same kappa of random grades."""
    a, b = np.random.default_rng(3).integers(0, 4, size=(2, 80))
    assert cohen_kappa(a, b, weights=ours).estimate == pytest.approx(cohen_kappa_score(a, b, weights=theirs), abs=1e-12)


def test_limits_cover_the_truth():
    """Of 800 samples of 600 subjects about 95 % of the intervals hold the kappa of the population."""
    rng = np.random.default_rng(4)
    joint = np.array([[0.5, 0.1], [0.1, 0.3]])
    truth = (0.8 - 0.52) / 0.48
    hits = 0
    for _ in range(800):
        cell = rng.choice(4, size=600, p=joint.ravel())
        limits = cohen_kappa(cell // 2, cell % 2).interval
        hits += limits.lower <= truth <= limits.upper
    assert 0.935 < hits / 800 < 0.965


def test_full_agreement_is_one():
    """Two raters who never differ."""
    assert cohen_kappa(list("aabbc"), list("aabbc")).estimate == 1.0


def test_one_class_only_is_undefined():
    """Where chance already explains everything kappa is NaN and says why."""
    found = cohen_kappa(["a", "a"], ["a", "a"])
    assert np.isnan(found.estimate)
    assert "undefined" in found.interval.method


def test_classes_that_do_not_occur_count_for_weights():
    """Distance is measured on the scale that was used, not on the grades that happened to occur."""
    a, b = [1, 1, 4, 4], [1, 4, 4, 1]
    table = cohen_kappa(a, b, weights="linear", classes=[1, 2, 3, 4])
    assert table.marginals.shape == (2, 4)


def test_an_unknown_class_is_refused():
    """A typing error among the grades is pointed at."""
    with pytest.raises(TableError, match="classes x are not among"):
        cohen_kappa(["a", "x"], ["a", "a"], classes=["a", "b"])


def test_fleiss_of_two_raters_with_equal_marginals_is_cohens():
    """With the same shares of classes both chance corrections agree."""
    a, b = np.array([0, 0, 1, 1, 0, 1]), np.array([0, 1, 0, 1, 0, 1])
    assert fleiss_kappa(np.column_stack([a, b])).estimate == pytest.approx(cohen_kappa(a, b).estimate)
