"""Searches inside the training rows."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import PlanError
from isthmus.models.settings import ModelSettings
from isthmus.validate.nested import Design, FoldResult, evaluate_fold
from isthmus.validate.proposals import proposals
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from isthmus.validate.tuning import Tuned, _best
from validate.drawn import build, design

SETTINGS = ValidateSettings(folds=3, repeats=1, inner_folds=3)
RIDGE = {"estimator": "logistic", "steps": ["impute", "encode", "scale"]}
RANGE = {"C": {"low": 0.001, "high": 10.0, "log": True}}


@pytest.fixture(scope="module")
def made() -> Design:
    return design(np.random.default_rng(0), n=60, p=8, signal=1.0)


def spec(**more) -> ModelSettings:
    return ModelSettings(name="m", **{**RIDGE, **more})


def fold(made: Design, model: ModelSettings, seed: int = 5) -> FoldResult:
    split = outer_splits(made.outcome.values, folds=3, repeats=1, seed=1)[0]
    return evaluate_fold(model, made, split, build=build, settings=SETTINGS, seed=seed)


@pytest.mark.parametrize("method", ["random", "optuna"])
def test_draws_lie_in_the_range_and_are_logged(made, method):
    """Every draw is a trial, inside the range that was given."""
    result = fold(made, spec(tuning=RANGE, search={"method": method, "draws": 7}))
    drawn = [trial["settings"]["C"] for trial in result.trials]
    assert (len(drawn), min(drawn) >= 0.001, max(drawn) <= 10.0) == (7, True, True)


@pytest.mark.parametrize("method", ["random", "optuna"])
def test_a_search_is_deterministic(made, method):
    """The same seed, the same trials and the same model, to the last bit."""
    model = spec(tuning=RANGE, search={"method": method, "draws": 5})
    assert fold(made, model) == fold(made, model)


@pytest.mark.parametrize("method", ["random", "optuna"])
def test_another_seed_searches_elsewhere(made, method):
    """The draws depend on the seed of the fold."""
    model = spec(tuning=RANGE, search={"method": method, "draws": 5})
    assert fold(made, model, seed=5).trials != fold(made, model, seed=6).trials


@pytest.mark.parametrize("method", ["random", "optuna"])
def test_no_combination_is_tried_twice(made, method):
    """Two lists with four combinations give at most four trials, however many draws."""
    lists = {"leaves": [2, 7], "min_leaf": [8, 25]}
    model = ModelSettings(
        name="m", estimator="lightgbm", settings={"rounds": 5}, tuning=lists, search={"method": method, "draws": 30}
    )
    seen = [tuple(trial["settings"].values()) for trial in fold(made, model).trials]
    assert len(seen) == len(set(seen)) <= 4


def test_whole_numbers_stay_whole():
    """A range between whole numbers gives whole numbers, both ends included."""
    model = ModelSettings(name="m", tuning={"leaves": {"low": 2, "high": 4}}, search={"method": "random", "draws": 3})
    search = proposals(model, seed=1)
    drawn = [next(search)["leaves"], search.send(0.0)["leaves"], search.send(0.0)["leaves"]]
    assert sorted(drawn) == [2, 3, 4]


def test_optuna_learns_from_the_scores():
    """Told that small values score best, it proposes smaller values than at the start."""
    model = ModelSettings(name="m", tuning={"x": {"low": 0.0, "high": 1.0}}, search={"method": "optuna", "draws": 40})
    search = proposals(model, seed=3)
    drawn = [next(search)["x"]]
    for _ in range(39):
        drawn.append(search.send(-drawn[-1])["x"])
    assert np.mean(drawn[-15:]) < 0.5 * np.mean(drawn[:10])


def test_one_se_takes_the_simplest_within_a_standard_error(made):
    """Of near-equal ridge models the one with the strongest penalty."""
    grid = {"C": [0.01, 0.1, 1.0, 10.0]}
    model = spec(tuning=grid, search={"one_se": True})
    result = fold(made, model)
    best = max(result.trials, key=lambda trial: trial["score"])
    assert result.tuned["C"] <= best["settings"]["C"]


@pytest.mark.parametrize(("one_se", "expected"), [(False, 20), (True, 2)])
def test_one_se_asks_the_steps_too(made, one_se, expected):
    """Near-equal scores: without the rule the best, with it the model on fewer columns, as the step declares."""
    steps = ["impute", "encode", "scale", {"name": "univariate", "k": 1}]
    pipeline = build(spec(steps=steps), made.X, seed=1)
    near = [
        (Tuned(pipeline.with_settings({"univariate.k": k}), {"univariate.k": k}, [], np.empty(0)), np.array(scores))
        for k, scores in ((20, [0.8, 0.7, 0.6]), (2, [0.7, 0.7, 0.65]), (1, [0.5, 0.5, 0.5]))
    ]
    assert _best(near, sign=1.0, one_se=one_se).settings == {"univariate.k": expected}


@pytest.mark.parametrize("score", ["log_loss", "brier"])
def test_a_loss_is_made_small(made, score):
    """log-loss and Brier: the smallest mean wins, and is logged as it is."""
    result = fold(made, spec(tuning={"C": [1e-4, 0.1, 1e4]}, search={"score": score}))
    best = min(result.trials, key=lambda trial: trial["score"])
    assert result.tuned == best["settings"]


def test_pr_auc_is_the_average_precision(made):
    """The logged score of one setting is scikit-learn's average precision, mean over the inner folds."""
    from sklearn.metrics import average_precision_score

    from isthmus.stats.seeds import child_seed
    from isthmus.table.steps import deal_folds

    result = fold(made, spec(tuning={"C": [1.0]}, search={"score": "pr_auc"}))
    train = made.rows(made.mask(outer_splits(made.outcome.values, folds=3, repeats=1, seed=1)[0].train))
    folds = deal_folds(train.patients, train.events, folds=3, seed=child_seed(ValidateSettings().seed, "inner folds"))
    found = []
    for held in range(3):
        out = folds == held
        fitted = build(spec(settings={"C": 1.0}), train.X, seed=5).fit(train.X[~out], train.events[~out])
        found.append(average_precision_score(train.events[out], fitted.predict_proba(train.X[out])[:, 1]))
    assert result.trials[0]["score"] == pytest.approx(np.mean(found), abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tuning": RANGE}, "is a range, and a grid needs a list"),
        ({"search": {"method": "random"}}, "search without tuning"),
        ({"tuning": {"C": {"low": 2.0, "high": 1.0}}, "search": {"method": "random"}}, "low must be below high"),
        (
            {"tuning": {"C": {"low": 0.0, "high": 1.0, "log": True}}, "search": {"method": "random"}},
            "needs low above 0",
        ),
        (
            {"tuning": {"C": {"low": -1.0, "high": 1.0}}, "search": {"method": "random"}},
            "expected a number of 1e-10 or more",
        ),
    ],
)
def test_a_search_that_cannot_work_is_refused(settings, message):
    """The plan is told before anything is run."""
    with pytest.raises(PlanError, match=message):
        build(spec(**settings), [], seed=1)


def test_the_balance_of_classes_is_chosen_in_the_inner_folds(made):
    """Each method is a trial with a log-loss of its own, and the chosen one is among them."""
    methods = ["none", "weights", "smote", "over_sample"]
    model = ModelSettings(
        name="m", estimator="lightgbm", settings={"rounds": 10}, steps=["impute", "encode", "balance"],
        tuning={"balance.method": methods}, search={"score": "log_loss"},
    )  # fmt: skip
    result = fold(made, model)
    assert [trial["settings"]["balance.method"] for trial in result.trials] == methods
    assert len({trial["score"] for trial in result.trials}) == 4
    assert result.tuned["balance.method"] in methods


@pytest.mark.parametrize("method", ["grid", "random", "optuna"])
def test_a_method_the_rows_do_not_allow_is_a_trial_without_a_score(method):
    """With two training events an inner fold has one: SMOTE cannot be tried, and the reason stands there; the others can."""
    few = design(np.random.default_rng(0), n=60, p=3)
    few.outcome.values[:] = 0
    few.outcome.values.iloc[[0, 1, 2]] = 1
    model = ModelSettings(
        name="m", estimator="lightgbm", settings={"rounds": 5}, steps=["impute", "encode", "balance"],
        tuning={"balance.method": ["smote", "none"]}, search={"method": method, "draws": 4, "score": "log_loss"},
    )  # fmt: skip
    result = fold(few, model)
    said = {trial["settings"]["balance.method"]: trial for trial in result.trials}
    assert "at least 2 rows of each class" in said["smote"]["measure"]
    assert np.isnan(said["smote"]["score"])
    assert result.tuned == {"balance.method": "none"}
