"""A pipeline's views of its rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from isthmus.models.settings import ModelSettings
from validate.drawn import build


def _fitted(steps: list[str | dict[str, object]]):
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(50, 10, (40, 3)), columns=["age", "size", "other"])
    X["constant"] = 1.0
    X.loc[3, "age"] = np.nan
    spec = ModelSettings.model_validate({"name": "m", "estimator": "logistic", "steps": steps})
    return build(spec, X, seed=1).fit(X, np.arange(40) % 2, np.arange(40)), X


def test_predictors_stand_in_their_own_units_behind_a_filter():
    """Columns that a step dropped on the way are gone, the gap is filled, and nothing is scaled: medians stay."""
    pipeline, X = _fitted(["impute", "variance", "winsorise", "scale"])
    found = pipeline.in_own_units(X)
    pd.testing.assert_series_equal(found.median(), X[["age", "size", "other"]].median())


def test_components_have_no_unit_of_their_own():
    """What a step combined is not among the predictors."""
    pipeline, X = _fitted(["impute", "variance", "scale", {"name": "pca", "components": 2}])
    assert list(pipeline.in_own_units(X)) == list(X)
