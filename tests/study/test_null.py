"""Cohorts without signal: honest procedures give an AUC of 0.5, planted leaks give more.

Statistical tests with fixed seeds: they assert a distance from 0.5 in Monte-Carlo standard errors, so that they can fail.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.models.settings import ModelSettings
from isthmus.stats.roc import auc
from isthmus.stats.seeds import child_seed
from isthmus.table import Outcome
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.null_study import null_outcome, summarise_null
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import STEPS, build

SETTINGS = ValidateSettings(folds=5, repeats=1, inner_folds=3, threshold=0.5)
SELECTING = ModelSettings(
    name="univariate-ridge",
    estimator="logistic",
    settings={"C": 1.0},
    steps=["impute", "scale", {"name": "univariate", "k": 10}],
)
RIDGE = ModelSettings(name="ridge", estimator="logistic", settings={"C": 1.0}, steps=["impute", "scale"])


def noise(n: int = 60, p: int = 300, rows: int = 1) -> tuple[pd.DataFrame, np.ndarray, Outcome]:
    rng = np.random.default_rng(31)
    names = np.array([f"P{i:03d}" for i in range(n)])
    values = np.repeat(rng.normal(size=(n, p)), rows, axis=0) + (
        0.3 * rng.normal(size=(n * rows, p)) if rows > 1 else 0.0
    )
    X = pd.DataFrame(values, columns=[f"f{i}" for i in range(p)])
    return X, np.repeat(names, rows), Outcome("y", "binary", pd.Series((np.arange(n) % 2), index=names))


def mean_fold_auc(spec: ModelSettings, made: Design, permutation: int) -> float:
    splits = outer_splits(made.outcome.values, folds=5, repeats=1, seed=child_seed(7, "null folds", permutation))
    results = [
        evaluate_fold(spec, made, s, build=build, settings=SETTINGS, seed=child_seed(7, permutation, s.fold))
        for s in splits
    ]
    return float(np.mean([result.auc for result in results]))


def null_aucs(spec: ModelSettings, permutations: int, leak=None, p: int = 300) -> np.ndarray:
    """The null AUCs of a model; `leak` may do something to the predictors with the whole (permuted) outcome in view."""
    X, patients, outcome = noise(p=p)
    found = []
    for permutation in range(permutations):
        null = null_outcome(outcome, None, permutation, seed=3)
        columns = X if leak is None else leak(X, null.array(pd.Index(patients)))
        found.append(mean_fold_auc(spec, Design(columns, patients, null), permutation))
    return np.array(found)


def anova_on_all_rows(X: pd.DataFrame, events: np.ndarray) -> pd.DataFrame:
    """The planted leak L1: the ten best columns of the whole table."""
    return STEPS["univariate"](k=10).fit_transform(X, events)


@pytest.fixture(scope="module")
def honest() -> np.ndarray:
    return null_aucs(SELECTING, 20)


@pytest.fixture(scope="module")
def leaking() -> np.ndarray:
    return null_aucs(RIDGE, 20, leak=anova_on_all_rows)


def test_selection_inside_the_fold_gives_half(honest):
    """On noise the mean null AUC lies within 3 Monte-Carlo standard errors of 0.5."""
    assert abs(honest.mean() - 0.5) < 3 * honest.std(ddof=1) / np.sqrt(len(honest))


def test_selection_outside_the_fold_inflates(leaking):
    """L1 planted: the same selection on the whole table makes noise look like signal, far beyond chance."""
    assert leaking.mean() > 0.65


def test_the_null_study_calls_the_leak(honest, leaking):
    """The summary suspects the leaking procedure and clears the honest one."""
    null = pd.concat(
        [
            pd.DataFrame({"model": name, "permutation": range(20), "auc": a})
            for name, a in (("ours", honest), ("leak", leaking))
        ]
    )
    observed = pd.DataFrame({"model": ["ours", "leak"], "auc": [0.55, 0.80]})
    verdicts = [text.split(";")[0].split(":")[0] for text in summarise_null(observed, null)["verdict"]]
    assert verdicts == ["no leak seen", "leak suspected"]


def test_rows_split_instead_of_patients_inflates():
    """L4 planted: three rows per patient dealt as if they were patients are recognised; by patient they are not."""
    X, patients, outcome = noise(n=40, p=30, rows=3)
    spec = ModelSettings(name="f", estimator="random_forest", settings={"trees": 40}, steps=["impute"])
    by_patient, by_row = [], []
    for permutation in range(4):
        null = null_outcome(outcome, None, permutation, seed=3)
        by_patient.append(mean_fold_auc(spec, Design(X, patients, null), permutation))
        rows = pd.Index([f"R{i}" for i in range(len(X))])
        as_patients = Outcome("y", "binary", pd.Series(null.array(pd.Index(patients)), index=rows))
        by_row.append(mean_fold_auc(spec, Design(X, rows, as_patients), permutation))
    assert np.mean(by_row) - np.mean(by_patient) > 0.25


def test_a_threshold_chosen_on_the_rows_it_judges_looks_better_than_nothing():
    """L5 planted: on noise the best Youden index of the test rows is above 0, that of the carried-over threshold is not."""
    X, patients, outcome = noise(p=20)
    optimistic, honest = [], []
    for permutation in range(6):
        null = null_outcome(outcome, None, permutation, seed=4)
        settings = SETTINGS.model_copy(update={"threshold": "youden"})
        for split in outer_splits(null.values, folds=5, repeats=1, seed=permutation):
            result = evaluate_fold(RIDGE, Design(X, patients, null), split, build=build, settings=settings, seed=1)
            y, p = np.array(result.outcome), np.array(result.probability)
            optimistic.append(max(_youden(y, p, t) for t in p))
            honest.append(_youden(y, p, result.threshold))
    assert np.mean(optimistic) > 0.2
    assert abs(np.mean(honest)) < 3 * np.std(honest, ddof=1) / np.sqrt(len(honest))


def _youden(y: np.ndarray, p: np.ndarray, threshold: float) -> float:
    return float((p[y == 1] >= threshold).mean() - (p[y == 0] >= threshold).mean())


def test_the_auc_of_a_fold_is_that_of_its_predictions():
    """FoldResult.auc is the AUC of its own outcome and probability."""
    X, patients, outcome = noise(p=5)
    split = outer_splits(outcome.values, folds=5, repeats=1, seed=1)[0]
    result = evaluate_fold(RIDGE, Design(X, patients, outcome), split, build=build, settings=SETTINGS, seed=1)
    assert result.auc == auc(result.outcome, result.probability)
