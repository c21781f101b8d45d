"""The nomogram of fitted pipelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.explain.nomogram import nomogram_of, points_of
from isthmus.models.settings import ModelSettings
from isthmus.stats.recalibration import Recalibration
from isthmus.study.evaluate import BUILD


def clinical(rows: int = 120, seed: int = 3, gaps: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
    """Age, size, a category of three, a yes/no, a number that does nothing."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "age": rng.normal(55, 14, rows).round(),
            "size_mm": rng.gamma(4, 6, rows),
            "site": rng.choice(["left", "right", "isthmus"], rows),
            "invasion": rng.integers(0, 2, rows),
            "noise": rng.normal(size=rows),
        }
    )
    eta = 0.05 * (X["age"] - 55) - 0.06 * (X["size_mm"] - 24) + (X["site"] == "left") + X["invasion"] - 0.5
    y = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(int).to_numpy()
    if gaps:
        X.loc[rng.random(rows) < 0.15, "size_mm"] = np.nan
        X.loc[rng.random(rows) < 0.1, "site"] = None
    return X, y


STEPS = ("impute", "encode", "scale")


def fitted(X: pd.DataFrame, y: np.ndarray, estimator: str, *, steps: Any = STEPS, **settings: Any) -> Any:
    spec = {"name": "m", "estimator": estimator, "steps": list(steps), "settings": settings}
    return BUILD(ModelSettings.model_validate(spec), X, seed=1).fit(X, y)


MODELS = {
    "logistic": {"C": 1.0},
    "lasso": {"penalty": 0.02},
    "elastic_net": {"penalty": 0.05},
    "firth": {},
}


@pytest.mark.parametrize("estimator", MODELS)
def test_points_give_the_risk_of_the_model(estimator: str) -> None:
    """Points of new rows, outside the axes too, add up to the risk of the model to 1e-9."""
    X, y = clinical()
    steps = ("impute", {"name": "encode", "drop_first": estimator == "firth"}, "scale")
    pipeline = fitted(X, y, estimator, steps=steps, **MODELS[estimator])
    made = nomogram_of(pipeline, X)
    new, _ = clinical(500, seed=9)
    risk = made.risk(points_of(made, new).sum(axis=1))
    np.testing.assert_allclose(risk, pipeline.predict_proba(new)[:, 1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("indicators", [False, True])
def test_a_missing_value_has_points(indicators: bool) -> None:
    """Where gaps are filled by the median, a missing value has points, and they add up to the risk of the model."""
    X, y = clinical(gaps=True)
    pipeline = fitted(X, y, "logistic", steps=({"name": "impute", "indicators": indicators}, "encode", "scale"), C=1.0)
    made = nomogram_of(pipeline, X)
    new, _ = clinical(300, seed=9, gaps=True)
    risk = made.risk(points_of(made, new).sum(axis=1))
    np.testing.assert_allclose(risk, pipeline.predict_proba(new)[:, 1], rtol=0, atol=1e-9)


def test_gaps_filled_from_other_columns_have_no_points() -> None:
    """A chain of regressions fills each patient's gap differently: complete rows have points, a gap is refused."""
    X, y = clinical(gaps=True)
    pipeline = fitted(X, y, "logistic", steps=({"name": "impute", "method": "iterative"}, "encode", "scale"), C=1.0)
    made = nomogram_of(pipeline, X)
    with pytest.raises(TableError, match="'size_mm' is missing"):
        points_of(made, X[X["size_mm"].isna()])


def test_follows_the_adjusted_risk() -> None:
    """Class weights and a recalibration on the logit scale are part of the nomogram."""
    X, y = clinical()
    spec = {
        "name": "m",
        "estimator": "logistic",
        "steps": list(STEPS),
        "settings": {"C": 1.0},
        "class_weight": "balanced",
    }
    pipeline = BUILD(ModelSettings.model_validate(spec), X, seed=1).fit(X, y)
    pipeline.recalibration = Recalibration("logistic", intercept=-0.2, slope=0.7)
    made = nomogram_of(pipeline, X)
    risk = made.risk(points_of(made, X).sum(axis=1))
    np.testing.assert_allclose(risk, pipeline.predict_proba(X)[:, 1], rtol=0, atol=1e-9)


def test_leaves_out_what_plays_no_part() -> None:
    """A predictor whose coefficient is 0 has no axis."""
    X, y = clinical()
    names = [axis.name for axis in nomogram_of(fitted(X, y, "lasso", penalty=0.08), X).axes]
    assert "noise" not in names


def test_axis_covers_the_middle_of_the_training_rows() -> None:
    """An axis reaches from the 1st to the 99th percentile, outward to round numbers."""
    X, y = clinical()
    axis = next(a for a in nomogram_of(fitted(X, y, "logistic", C=1.0), X).axes if a.name == "size_mm")
    low, high = X["size_mm"].quantile([0.01, 0.99])
    assert axis.ticks[0] <= low < axis.ticks[1]
    assert axis.ticks[-2] < high <= axis.ticks[-1]


def test_axis_stays_within_what_is_possible() -> None:
    """Rounding outward does not go beyond the range that the data dictionary gives."""
    X, y = clinical()
    made = nomogram_of(fitted(X, y, "logistic", C=1.0), X, possible={"size_mm": (4.0, 62.0)})
    axis = next(a for a in made.axes if a.name == "size_mm")
    assert (axis.ticks[0], axis.ticks[-1]) == (5.0, 62.0)


@pytest.mark.parametrize(
    ("estimator", "steps", "reason"),
    [
        ("random_forest", STEPS, "no sum over its columns"),
        ("naive_bayes", STEPS, "not straight in"),
        ("logistic", (*STEPS, "pca"), "made of several predictors"),
    ],
)
def test_says_why_there_is_none(estimator: str, steps: Any, reason: str) -> None:
    """A model that is no straight sum of the predictors is refused with the reason."""
    X, y = clinical()
    with pytest.raises(TableError, match=reason):
        nomogram_of(fitted(X, y, estimator, steps=steps, **({"C": 1.0} if estimator == "logistic" else {})), X)


def test_refuses_an_isotonic_recalibration() -> None:
    """A map of risks by steps bends the log odds."""
    X, y = clinical()
    pipeline = fitted(X, y, "logistic", C=1.0)
    pipeline.recalibration = Recalibration(
        "isotonic", knots=np.array([0.0, 0.5, 1.0]), levels=np.array([0.1, 0.2, 0.9])
    )
    with pytest.raises(TableError, match="recalibration"):
        nomogram_of(pipeline, X)
