"""How often the intervals of a cross-validated AUC cover the truth (docs/evidence/cv-interval-coverage.md).

Run this file as a script to print the table of that page.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.stats import roc
from isthmus.validate.performance import performance
from isthmus.validate.settings import ValidateSettings

FOLDS, REPEATS, EVENTS, COLUMNS = 5, 5, 0.3, 5


def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Direction of a linear discriminant, the cheapest model that really learns."""
    difference = x[y == 1].mean(axis=0) - x[y == 0].mean(axis=0)
    return np.linalg.solve(np.cov(x.T) + 0.1 * np.eye(x.shape[1]), difference)


def draw(n: int, shift: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Patients: five features, one of which is shifted in events."""
    y = rng.permutation(np.arange(n) < round(EVENTS * n)).astype(int)
    x = rng.normal(size=(n, COLUMNS))
    x[:, 0] += shift * y
    return x, y


def one_study(n: int, shift: float, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Repeated cross-validation of one cohort, and the mean AUC of its models on 2,000 new patients."""
    x, y = draw(n, shift, rng)
    new_x, new_y = draw(2000, shift, rng)
    rows, truth = [], []
    for repeat in range(REPEATS):
        fold = np.empty(n, dtype=int)
        for label in (0, 1):
            members = rng.permutation(np.flatnonzero(y == label))
            fold[members] = (np.arange(members.size) + label * 2) % FOLDS
        for k in range(FOLDS):
            w = fit(x[fold != k], y[fold != k])
            truth.append(roc.auc(new_y, new_x @ w))
            p = 1 / (1 + np.exp(-x @ w))
            rows += [(str(i), "lda", "cv", repeat, k, y[i], p[i]) for i in np.flatnonzero(fold == k)]
    predictions = pd.DataFrame(rows, columns=["patient", "model", "split", "repeat", "fold", "outcome", "probability"])
    cuts = predictions[["model", "repeat", "fold"]].drop_duplicates().assign(threshold=0.5)
    return predictions, cuts, float(np.mean(truth))


def coverage(n: int, shift: float, studies: int, seed: int = 0) -> pd.DataFrame:
    """Share of studies whose 95 % interval covers the procedure's expected AUC, and the interval's mean width."""
    settings = ValidateSettings(bootstrap=200)
    found, truths = [], []
    for k in range(studies):
        predictions, cuts, truth = one_study(n, shift, np.random.default_rng([seed, n, k]))
        truths.append(truth)
        table = performance(predictions, cuts, settings=settings, seed=k)
        found.append(table[table["metric"].isin(["auc", "auc_pooled", "auc_corrected_t"])].assign(study=k))
    expected = 0.5 if shift == 0 else float(np.mean(truths))
    every = pd.concat(found)
    every["covers"] = (every["lower"] <= expected) & (expected <= every["upper"])
    every["width"] = every["upper"] - every["lower"]
    every["above"] = every["lower"] > expected
    table = every.groupby("metric")[["estimate", "covers", "above", "width"]].mean()
    return table.assign(sd=every.groupby("metric")["estimate"].std(), truth=expected, n=n, studies=studies)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "least"), [(60, 0.80), (120, 0.85)])
def test_null_intervals_cover_one_half(n: int, least: float) -> None:
    """Without signal the interval of a cross-validated AUC covers 0.5 as often as measured, less three standard errors."""
    assert coverage(n, 0.0, 100).loc["auc", "covers"] >= least


if __name__ == "__main__":
    pd.set_option("display.width", 200)
    for n, shift in ((60, 0.0), (120, 0.0), (60, 1.0), (120, 1.0)):
        print(coverage(n, shift, 200).round(3).to_string())
