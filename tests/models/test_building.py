"""From a plan's model to a pipeline, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from isthmus import models
from isthmus.errors import PlanError
from isthmus.models.settings import ModelSettings
from isthmus.stats.seeds import child_seed
from validate.drawn import STEPS, build


def spec(**settings) -> ModelSettings:
    return ModelSettings(name="m", **settings)


@pytest.mark.parametrize("estimator", sorted(models.ESTIMATORS))
def test_default_steps_make_a_pipeline(estimator):
    """Every estimator's default steps are known and stand in a valid order, text columns included."""
    frame = pd.DataFrame({"sex": ["f", "m"], "age": [1.0, 2.0]})
    pipeline = build(spec(estimator=estimator), frame, seed=1)
    assert [name for name, _ in pipeline.steps] == [
        *(entry.name for entry in models.resolve(spec(estimator=estimator))),
        "estimator",
    ]


def test_every_estimator_has_default_steps():
    """DEFAULT_STEPS covers the registry."""
    assert set(models.DEFAULT_STEPS) == set(models.ESTIMATORS)


def test_settings_of_steps_and_estimator_arrive():
    """What the plan says is what the step gets."""
    pipeline = build(
        spec(estimator="logistic", settings={"C": 2.0}, steps=["impute", "scale", {"name": "univariate", "k": 3}]),
        [],
        seed=1,
    )
    assert (pipeline["univariate"].k, pipeline["estimator"].C) == (3, 2.0)


def test_seeds_are_children_of_the_fold_seed():
    """A random estimator is seeded by the fold's seed and its own name."""
    assert build(spec(estimator="random_forest"), [], seed=5)["estimator"].random_state == child_seed(
        5, "random_forest"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"estimator": "lightgmb"}, "estimator 'lightgmb' is not known. Did you mean 'lightgbm'"),
        ({"steps": ["impute", "correlatio"]}, "step 'correlatio' is not known. Did you mean 'correlation'"),
        ({"estimator": "random_forest", "settings": {"tree": 5}}, "setting 'tree' is not known. Did you mean 'trees'"),
        ({"estimator": "random_forest", "settings": {"random_state": 5}}, "setting 'random_state' is not known"),
        ({"estimator": "random_forest", "settings": {"trees": 0}}, "trees = 0; expected a whole number of 1 or more"),
        (
            {"steps": ["impute", {"name": "correlation", "threshold": 1.5}]},
            "threshold = 1.5; expected a number between",
        ),
        ({"estimator": "random_forest", "tuning": {"leaf": [1]}}, "tuning 'leaf' is not known"),
        ({"estimator": "random_forest", "tuning": {"min_leaf": []}}, "'min_leaf' is an empty list"),
        ({"estimator": "random_forest", "tuning": {"min_leaf": [0]}}, "min_leaf = 0; expected"),
        ({"tuning": {"univariate.k": [5]}}, "tuning of step 'univariate' is not known"),
        ({"estimator": "logistic", "steps": ["impute"]}, "'logistic' needs scaled columns"),
    ],
)
def test_what_a_plan_can_get_wrong(settings, message):
    """Unknown names, settings out of range and impossible orders: PlanError with what came and what is known."""
    with pytest.raises(PlanError, match=message):
        models.check_model(spec(**settings), task="binary", steps=STEPS)


@pytest.mark.parametrize("task", ["multiclass", "ordinal", "survival"])
def test_an_estimator_of_another_task_is_refused(task):
    """A binary estimator is not fitted to another outcome; the error names those that learn it."""
    with pytest.raises(PlanError, match=f"does not learn a {task} outcome"):
        models.check_model(spec(), task=task, steps=STEPS)


def test_a_supervised_step_that_does_not_know_times_is_refused():
    """A step that compares classes cannot select for a time to event."""
    with pytest.raises(PlanError, match="does not know a survival one"):
        models.check_model(spec(estimator="lasso_cox", steps=["impute", "univariate"]), task="survival", steps=STEPS)


@pytest.mark.parametrize("where", [{"settings": {"folds": 10}}, {"tuning": {"folds": [5, 10]}}])
def test_a_setting_that_would_change_nothing_is_refused(where):
    """The folds behind the LASSO penalty are those of [validate]; a plan that sets others is told so."""
    with pytest.raises(PlanError, match="'folds' has no effect in a study; .validate. inner_folds decides it"):
        build(spec(estimator="lasso", **where), [], seed=1)
