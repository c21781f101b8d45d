"""The leak canary: held-out rows are overwritten with noise, and everything that was learned must stay the same, bit for bit.

What a step cannot see it cannot leak. The canary itself is tested on a leaky procedure, which it must catch.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from isthmus import models
from isthmus.models.settings import ModelSettings
from isthmus.table import Outcome
from isthmus.validate.nested import Design, evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import QUICK, STEPS, build, design, repeats_file

SETTINGS = ValidateSettings(folds=3, repeats=1, inner_folds=3)
STEPS_OF = {
    "default steps": None,
    "every step": [
        {"name": "reliability", "repeats": repeats_file()},
        "impute",
        "combat",
        *("encode", "variance", "scale", "correlation", {"name": "univariate", "k": 5}, "lasso"),
    ],
    "outcome protected": ["impute", {"name": "combat", "protect_outcome": "training-only"}, "encode", "scale"],
}
TUNING = {
    "random_forest": {"min_leaf": [2, 8]},
    "lightgbm": {"leaves": [2, 5]},
    "elastic_net": {"alpha": [0.2, 0.8]},
    "knn": {"neighbours": [3, 9]},
    "voting": {"naive_bayes.smoothing": [1e-9, 0.1]},
}


def cohort() -> Design:
    made = design(np.random.default_rng(21), n=54, p=8, rows=2)
    rng = np.random.default_rng(22)
    X = made.X.assign(sex=rng.choice(["f", "m"], len(made.X)))
    X["@centre"] = np.where(pd.factorize(made.patients)[0] % 2, "one", "two")
    X.iloc[::7, 2] = np.nan
    return Design(X, made.patients, made.outcome)


def overwritten(made: Design, test: tuple[str, ...]) -> Design:
    """The held-out rows with noise, another category, and the opposite outcome."""
    rng = np.random.default_rng(23)
    rows = np.isin(made.patients, test)
    X = made.X.copy()
    numeric = [column for column in X.columns if column not in ("sex", "@centre")]
    X.loc[rows, numeric] = rng.normal(1e3, 1e4, size=(rows.sum(), len(numeric)))
    X.loc[rows, "sex"] = "unknown"
    values = made.outcome.values.copy()
    values.loc[list(test)] = 1 - values.loc[list(test)]
    return Design(X, made.patients, Outcome("metastasis", "binary", values))


def learned(made: Design, spec: ModelSettings, monkeypatch) -> dict:
    """Everything fitted in one fold: the files of the pipeline, threshold, selection, tuning."""
    from isthmus.validate import nested

    kept = {}
    original = nested.develop

    def develop(*args, **kwargs):
        kept["learned"] = original(*args, **kwargs)
        return kept["learned"]

    monkeypatch.setattr(nested, "develop", develop)
    split = outer_splits(cohort().outcome.values, folds=3, repeats=1, seed=2)[0]
    result = evaluate_fold(spec, made, split, build=build, settings=SETTINGS, seed=9)
    monkeypatch.undo()
    files = models.save_pipeline(kept["learned"].pipeline)
    return {
        "files": {name: content.hex() for name, content in files.items() if name != "forest.npz"},
        "forest": {
            k: getattr(kept["learned"].pipeline.estimator.trees_, k).tolist()
            for k in ("threshold", "risk")
            if "forest.npz" in files
        },
        "threshold": result.threshold,
        "selected": dict(result.selected),
        "tuned": dict(result.tuned),
        "trials": result.trials,
        "dropped": dict(result.dropped),
    }


@pytest.mark.parametrize(
    ("estimator", "steps"),
    [(name, "default steps") for name in sorted(models.estimators_of("binary"))]
    + [(name, "every step") for name in ("lasso", "random_forest", "lightgbm", "svm", "stacking")],
)
def test_noise_in_the_held_out_rows_changes_nothing_that_was_learned(estimator, steps, monkeypatch):
    """L1, L2, L4, L5, L6, L9: fitted steps, tuning, threshold and model are the same bits whatever the test rows hold."""
    made = cohort()
    spec = ModelSettings(
        name="m",
        estimator=estimator,
        steps=STEPS_OF[steps],
        settings=QUICK.get(estimator, {}),
        tuning=TUNING.get(estimator, {}),
    )
    split = outer_splits(made.outcome.values, folds=3, repeats=1, seed=2)[0]
    clean = learned(made, spec, monkeypatch)
    noisy = learned(overwritten(made, split.test), spec, monkeypatch)
    assert json.dumps(clean, sort_keys=True) == json.dumps(noisy, sort_keys=True)


@pytest.mark.parametrize("name", ["impute", "encode", "scale", "univariate", "lasso"])
def test_the_canary_catches_a_step_that_was_fitted_on_all_rows(name, monkeypatch):
    """L1, L2 planted: with one step fitted on the whole table before the split, what is learned depends on the held-out rows."""
    made = cohort()
    split = outer_splits(made.outcome.values, folds=3, repeats=1, seed=2)[0]

    def leak(source: Design) -> Design:
        X = source.X if name in ("impute", "encode") else source.X.drop(columns="sex").fillna(0.0)
        step = STEPS[name](k=3) if name == "univariate" else STEPS[name]()
        X = step.fit_transform(X, source.events(np.ones(len(X), dtype=bool)))
        return Design(X, source.patients, source.outcome)

    spec = ModelSettings(name="m", estimator="lasso", steps=["impute", "encode"])
    clean, noisy = (learned(leak(source), spec, monkeypatch) for source in (made, overwritten(made, split.test)))
    assert json.dumps(clean, sort_keys=True) != json.dumps(noisy, sort_keys=True)


def test_the_order_of_rows_changes_no_split_and_no_prediction_of_a_linear_model():
    """Shuffling the table changes predictions by rounding only: no result hangs on the order of a spreadsheet."""
    made = cohort()
    order = np.random.default_rng(1).permutation(len(made.X))
    shuffled = Design(made.X.iloc[order], made.patients[order], made.outcome)
    split = outer_splits(made.outcome.values, folds=3, repeats=1, seed=2)[0]
    spec = ModelSettings(name="m", estimator="lasso")
    straight, other = (evaluate_fold(spec, d, split, build=build, settings=SETTINGS, seed=9) for d in (made, shuffled))
    pd.testing.assert_series_equal(pd.Series(straight.probability), pd.Series(other.probability), atol=1e-8)
