"""The step that is one of the resamplers, by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus import models
from isthmus.errors import PlanError
from isthmus.models.settings import ModelSettings
from validate.drawn import build

STEPS = models.STEPS
RESAMPLERS = [
    "over_sample",
    "under_sample",
    "smote",
    "borderline_smote",
    "svm_smote",
    "adasyn",
    "smote_enn",
    "smote_tomek",
]


@pytest.fixture
def rare() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(3)
    events = (np.arange(80) % 5 == 0).astype(int)
    return pd.DataFrame(rng.normal(size=(80, 3)) + events[:, None], columns=["a", "b", "c"]), events


def spec(estimator: str = "lightgbm", **more) -> ModelSettings:
    return ModelSettings(name="m", estimator=estimator, **{"steps": ["impute", "encode", "balance"], **more})


@pytest.mark.parametrize("method", RESAMPLERS)
def test_a_resampler_by_name_is_that_resampler(method, rare):
    """The same rows, the same classes, the same owners."""
    mine = STEPS["balance"](method=method, random_state=4).resample(*rare)
    its = STEPS[method](random_state=4).resample(*rare)
    pd.testing.assert_frame_equal(mine[0], its[0])
    assert (mine[1].tolist(), mine[2].tolist()) == (its[1].tolist(), its[2].tolist())


def test_weights_are_class_weights(rare):
    """The same risks as with class_weight = "balanced", to the last bit."""
    steps = ["impute", "encode", {"name": "balance", "method": "weights"}]
    weighted = build(spec(steps=steps), rare[0], seed=1).fit(*rare)
    plain = build(spec(steps=["impute", "encode"], class_weight="balanced"), rare[0], seed=1).fit(*rare)
    assert np.array_equal(weighted.predict_proba(rare[0]), plain.predict_proba(rare[0]))


def test_none_leaves_the_rows_alone(rare):
    """The same risks as without the step."""
    with_step = build(spec(), rare[0], seed=1).fit(*rare).predict_proba(rare[0])
    without = build(spec(steps=["impute", "encode"]), rare[0], seed=1).fit(*rare).predict_proba(rare[0])
    np.testing.assert_allclose(with_step, without, rtol=1e-12)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (spec(tuning={"balance.method": ["none", "smoted"]}), "Did you mean 'smote'"),
        (spec(class_weight="balanced"), "correct twice"),
        (
            spec("lasso", tuning={"balance.method": ["none", "weights"]}),
            r"takes no weights \(step 'balance'\); .*lightgbm",
        ),
    ],
)
def test_what_cannot_be_is_refused(made, words):
    """Before any data are read, with what to do."""
    with pytest.raises(PlanError, match=words):
        build(made, [], seed=1)
