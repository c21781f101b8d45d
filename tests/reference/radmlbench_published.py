"""The pipelines whose AUCs radMLBench published, as its example defines them (the folder's README says how).

Ours are the ANOVA screen and the reading of the table; the decorrelation rule, the Bhattacharyya, LASSO and extra-trees rankings
and the settings of the classifiers are upstream's, told again here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.naive_bayes import GaussianNB

from isthmus.stats.roc import auc
from isthmus.stats.univariate import screen

Array = NDArray[np.float64]

TABLES = (
    "Fusco2022", "HCC-TACE-Seg", "HNSCC", "Head-Neck-PET-CT", "Head-Neck-Radiomics-HN1", "Hosny2018A", "Hosny2018B", "Keek2020",
    "LGG-1p19qDeletion", "WORC-GIST", "Zhang2023", "Zhang2024B",
)  # fmt: skip
SIZES = (1, 2, 4, 8, 16, 32, 64)
RANKINGS = ("ANOVA", "Bhattacharyya", "LASSO", "ET")


@cache
def _trials(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "published_auc_trials.csv.gz")


@dataclass(frozen=True)
class Found:
    """The pooled AUC of a pipeline, and the range in which the rounding of naive Bayes may put it.

    Some of its probabilities are within 1e-12 of 0 or 1, where their order is rounding: `lower` and `upper` count every such pair
    of patients against and for the model.
    """

    auc: float
    lower: float
    upper: float


class Published:
    """One table, its ten folds, and every ranking of columns, computed once."""

    def __init__(self, folder: Path, name: str, threshold: float) -> None:
        frame = pd.read_csv(folder / "datasets" / f"{name}.csv.gz")
        self.y = frame["Target"].astype(str).isin(["1", "True"]).to_numpy(dtype=np.int64)
        self.X = frame.drop(columns=["ID", "Target"]).to_numpy(dtype=np.float64)
        self.threshold = threshold
        trials = _trials(folder)
        here = (trials["dataset"] == name) & (trials["decorrelation_threshold"].astype(float) == threshold)
        self.trials = trials[here]
        self._orders: dict[str, list[NDArray[np.intp]]] = {}

    @cached_property
    def folds(self) -> list[tuple[Array, NDArray[np.int64], Array, NDArray[np.int64]]]:
        """Training values and outcome, test values and outcome; decorrelated."""
        dealt = RepeatedStratifiedKFold(n_splits=10, n_repeats=1, random_state=463).split(self.X, self.y)
        found = []
        for fit, held in dealt:
            keep = decorrelated(self.X[fit], self.threshold)
            found.append((self.X[fit][:, keep], self.y[fit], self.X[held][:, keep], self.y[held]))
        return found

    @cached_property
    def decided(self) -> bool:
        """Is it known in every fold which columns upstream kept?"""
        dealt = RepeatedStratifiedKFold(n_splits=10, n_repeats=1, random_state=463).split(self.X, self.y)
        return all(decided(self.X[fit], self.threshold) for fit, _ in dealt)

    def orders(self, ranking: str) -> list[NDArray[np.intp]]:
        """The columns of each fold, best first."""
        if ranking not in self._orders:
            self._orders[ranking] = [_RANK[ranking](X, y) for X, y, _, _ in self.folds]
        return self._orders[ranking]

    def expected(self, ranking: str, size: int, classifier: str, C: float | None = None) -> float:
        """The AUC found upstream."""
        t = self.trials
        row = t[(t["feature_selection"] == ranking) & (t["n_selected"] == size) & (t["classifier"] == classifier)]
        if C is not None:
            row = row[row["hyperparameter"] == f"C={C}"]
        assert len(row) == 1
        return float(row["auc"].iloc[0])

    def naive_bayes(self, ranking: str, size: int) -> Found:
        return self._pooled(ranking, size, GaussianNB())

    def logistic(self, ranking: str, size: int, C: float) -> Found:
        model = LogisticRegression(max_iter=500, solver="liblinear", C=C, random_state=42)
        return self._pooled(ranking, size, model)

    def _pooled(self, ranking: str, size: int, model: Any) -> Found:
        risks, truth = [], []
        for (X, y, held, outcome), order in zip(self.folds, self.orders(ranking), strict=True):
            columns = np.sort(order[:size])
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # unscaled columns: liblinear does not always converge, upstream neither
                model.fit(np.ascontiguousarray(X[:, columns]), y)
            risks.append(model.predict_proba(held[:, columns])[:, 1])
            truth.append(outcome)
        risk, event = np.concatenate(risks), np.concatenate(truth)
        step = np.where(risk > 1 - 1e-12, 1.0, np.where(risk < 1e-12, 0.0, risk))
        edge = (step == 1.0) | (step == 0.0)
        nudge = np.where(edge, 1e-13, 0.0) * (2 * event - 1)
        return Found(auc(event, risk), auc(event, step - nudge), auc(event, step + nudge))

    def deterministic(self) -> Iterator[tuple[str, int, str, float | None]]:
        """Every published pipeline without unseeded randomness."""
        for ranking in RANKINGS:
            for size in SIZES:
                yield ranking, size, "NaiveBayes", None
                for power in range(-7, 7, 2):
                    yield ranking, size, "LogisticRegression", 2.0**power


def decorrelated(X: Array, threshold: float) -> NDArray[np.intp]:
    """The columns upstream keeps: of a pair with |r| at or above the threshold the one with the lower mean |r| goes.

    A column that is constant in the fold has no r, and with it no column a mean: then nothing goes.
    """
    return np.flatnonzero(~_beaten(X, threshold, 0.0))


def decided(X: Array, threshold: float) -> bool:
    """Does the rule say what upstream kept? Of two columns that are one straight function of the other, rounding says it: their means
    differ in the last bits, and those depend on the machine."""
    return bool((_beaten(X, threshold, 1e-12) == _beaten(X, threshold, -1e-12)).all())


def _beaten(X: Array, threshold: float, margin: float) -> NDArray[np.bool_]:
    if threshold == 1.0:
        return np.zeros(X.shape[1], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        related = np.abs(np.corrcoef(X, rowvar=False))
    mean = related.mean(axis=1)
    over = related >= threshold
    np.fill_diagonal(over, False)
    beaten: NDArray[np.bool_] = (over & (mean[:, None] > mean[None, :] + margin)).any(axis=0)
    return beaten


def _anova(X: Array, y: NDArray[np.int64]) -> NDArray[np.intp]:
    """As our step `univariate` ranks them."""
    return np.argsort(-screen(X, y, "anova").strength, kind="stable")


def _bhattacharyya(X: Array, y: NDArray[np.int64]) -> NDArray[np.intp]:
    """Hellinger's distance between a column scaled to [0, 1] and to the sum 1, and the outcome scaled to the sum 1; in single
    precision, as OpenCV computes it; ties: the later column."""
    low, high = X.min(axis=0), X.max(axis=0)
    varies = low != high
    scaled = (X - low) / np.where(varies, high - low, 1.0)
    total = scaled.sum(axis=0)
    shares = (scaled / np.where(varies, total, 1.0)).astype(np.float32)
    outcome = (y / y.sum()).astype(np.float32)
    overlap = np.sqrt(shares * outcome[:, None]).astype(np.float64).sum(axis=0)
    size = shares.astype(np.float64).sum(axis=0) * outcome.astype(np.float64).sum()
    distance = np.sqrt(np.maximum(1 - overlap / np.sqrt(np.where(varies, size, 1.0)), 0.0))
    score = -np.where(varies, distance, 0.0).astype(np.float32)
    return np.argsort(score, kind="mergesort")[::-1]


def _lasso(X: Array, y: NDArray[np.int64]) -> NDArray[np.intp]:
    model = LogisticRegression(l1_ratio=1, solver="liblinear", C=1.0, max_iter=100, random_state=42)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.argsort(-np.abs(model.fit(X, y).coef_[0]), kind="mergesort")


def _extra_trees(X: Array, y: NDArray[np.int64]) -> NDArray[np.intp]:
    return np.argsort(-ExtraTreesClassifier(random_state=42).fit(X, y).feature_importances_, kind="mergesort")


_RANK: dict[str, Callable[[Array, NDArray[np.int64]], NDArray[np.intp]]] = {
    "ANOVA": _anova,
    "Bhattacharyya": _bhattacharyya,
    "LASSO": _lasso,
    "ET": _extra_trees,
}
