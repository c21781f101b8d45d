"""Members of voting and stacking: how they are written, tuned and stored."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from isthmus import models
from isthmus.errors import ModelFileError, PlanError
from isthmus.models.best_of import BestOf
from isthmus.models.settings import ModelSettings
from isthmus.models.stacking import Stacking, non_negative_ridge
from isthmus.models.voting import Voting
from isthmus.validate.nested import evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import STEPS, build, design


def spec(**settings) -> ModelSettings:
    return ModelSettings(name="m", estimator="voting", **settings)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["lightgmb"], r"member 'lightgmb' is not known. Did you mean 'lightgbm'"),
        (
            [{"name": "random_forest", "tree": 3}],
            r"member 'random_forest': setting 'tree' is not known. Did you mean 'trees'",
        ),
        ([{"name": "random_forest", "trees": 0}], r"member 'random_forest'.*trees = 0"),
        ([{"trees": 5}], "expected the name of an estimator"),
        (["lasso", "lasso"], "two members are called 'lasso'; give each a label"),
        ([], "expected a list of estimators"),
        ("lasso", "expected a list of estimators"),
    ],
)
def test_members_that_cannot_be_made_are_refused(members, message):
    """The plan is wrong before any data are read, and the message says what was meant."""
    with pytest.raises(PlanError, match=message):
        build(spec(settings={"members": members}), [], seed=1)


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], "ab"])
def test_weights_are_one_a_member(weights):
    """Too few, negative, or all zero."""
    with pytest.raises(PlanError, match="expected 2 numbers of 0 or more"):
        Voting(members=["lasso", "knn"], weights=weights).check_settings()


def test_two_members_of_one_kind_have_labels_and_seeds_of_their_own():
    """Two forests with labels are two forests."""
    made = Voting(members=["random_forest", {"name": "random_forest", "label": "deep", "min_leaf": 1}]).make()
    assert list(made) == ["random_forest", "deep"]
    assert made["deep"].random_state != made["random_forest"].random_state


def test_a_setting_of_a_member_is_changed_by_its_label():
    """`label__setting` reaches the member, survives a clone, and leaves the others alone."""
    voting = Voting(members=["lasso", {"name": "knn", "neighbours": 3}])
    changed = clone(voting.set_params(knn__neighbours=5, lasso__rule="1se")).make()
    assert (changed["knn"].neighbours, changed["lasso"].rule) == (5, "1se")


def test_a_setting_of_a_member_of_a_member_is_reached():
    """Ensembles nest, and so do their settings."""
    voting = Voting(members=["lasso", {"name": "stacking", "members": ["knn", "naive_bayes"]}])
    inner = voting.set_params(stacking__knn__neighbours=9).make()["stacking"]
    assert isinstance(inner, Stacking)
    assert inner.make()["knn"].neighbours == 9


def test_members_are_tuned_inside_the_training_rows():
    """`tuning` names `member.setting`; what was chosen is in the result of the fold."""
    made = design(np.random.default_rng(2), n=60, p=4)
    model = spec(settings={"members": ["naive_bayes", "knn"]}, tuning={"knn.neighbours": [3, 11]})
    split = outer_splits(made.outcome.values, folds=3, repeats=1, seed=1)[0]
    settings = ValidateSettings(folds=3, repeats=1, inner_folds=3)
    result = evaluate_fold(model, made, split, build=build, settings=settings, seed=5)
    assert result.tuned["knn.neighbours"] in (3, 11)
    assert len(result.trials) == 2


@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        ({"knn.neighbour": [3]}, "'neighbour' is not known. Did you mean 'neighbours'"),
        ({"knm.neighbours": [3]}, "'knm' is not known. Did you mean 'knn'"),
        ({"knn.neighbours": [0]}, "neighbours = 0; expected"),
    ],
)
def test_tuning_of_a_member_is_checked_with_the_plan(tuning, message):
    """Wrong labels, settings and values are errors of the plan."""
    with pytest.raises(PlanError, match=message):
        build(spec(settings={"members": ["knn"]}, tuning=tuning), [], seed=1)


def test_a_step_and_a_member_of_one_name_are_told_apart():
    """`lasso.rule` could mean the selector or the member: the plan must say which."""
    with pytest.raises(PlanError, match="give the member a label of its own"):
        build(
            spec(steps=["impute", "scale", "lasso"], settings={"members": ["lasso"]}, tuning={"lasso.rule": ["min"]}),
            [],
            seed=1,
        )


def test_an_ensemble_in_an_ensemble_is_stored():
    """Nested members are written and read with the same bits."""
    made = design(np.random.default_rng(7), n=60, p=5)
    members = ["knn", {"name": "stacking", "members": ["naive_bayes", {"name": "decision_tree", "label": "tree"}]}]
    pipeline = build(spec(settings={"members": members}), made.X, seed=1)
    pipeline.fit(made.X, made.events(np.ones(60, dtype=bool)))
    files = models.save_pipeline(pipeline)
    assert {"1-knn.npz", "2-stacking.json", "2-1-naive_bayes.json", "2-2-forest.npz"} <= set(files)
    again = models.load_pipeline(files, steps=STEPS)
    assert np.array_equal(pipeline.predict_proba(made.X), again.predict_proba(made.X))


def test_a_member_that_is_not_on_the_list_is_not_read():
    """A forged name in a model file is refused."""
    made = design(np.random.default_rng(7), n=60, p=5)
    pipeline = build(spec(settings={"members": ["knn"]}), made.X, seed=1)
    files = models.save_pipeline(pipeline.fit(made.X, made.events(np.ones(60, dtype=bool))))
    forged = files["pipeline.json"].replace(b'"knn"', b'"os.system"')
    with pytest.raises(PlanError, match="'os.system' is not known"):
        models.load_pipeline({**files, "pipeline.json": forged}, steps=STEPS)


def test_concerns_of_members_are_passed_on():
    """A member that separated the classes is named."""
    events = np.arange(30) % 2
    X = np.column_stack([events.astype(float), np.random.default_rng(0).normal(size=30)])
    model = Voting(members=["logistic", "naive_bayes"]).fit(X, events)
    assert "member 'logistic': the columns separate the classes" in model.concern()


def drawn(n: int, seed: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    events = np.arange(n) % 2
    return np.column_stack([events * strength + rng.normal(size=n), rng.normal(size=(n, 3))]), events


def test_free_weights_are_those_of_scikit_learn():
    """Where no weight wants to be negative, the bound changes nothing."""
    rng = np.random.default_rng(5)
    events = np.arange(120) % 2
    values = events[:, None] * [0.3, 0.2] + 0.3 * rng.normal(size=(120, 2))
    weights, intercept = non_negative_ridge(values, events, 2.0)
    theirs = LogisticRegression(C=2.0, tol=1e-12, max_iter=9999).fit(values, events)
    assert np.allclose([*weights, intercept], [*theirs.coef_[0], theirs.intercept_[0]], atol=1e-6)


def test_no_weight_is_negative_and_none_could_be_better():
    """Of a column that leans against the outcome the weight is 0, where the loss rises with it; the others are a minimum."""
    rng = np.random.default_rng(6)
    events = np.arange(120) % 2
    values = events[:, None] * [0.4, -0.3] + 0.3 * rng.normal(size=(120, 2))
    weights, intercept = non_negative_ridge(values, events, 1.0)
    alone, own = non_negative_ridge(values[:, :1], events, 1.0)
    risk = 1 / (1 + np.exp(-(values @ weights + intercept)))
    assert weights[1] == 0.0
    assert np.allclose([weights[0], intercept], [alone[0], own], atol=1e-6)
    assert values[:, 1] @ (risk - events) > 0


def test_the_best_is_chosen_by_its_inner_folds():
    """A member that cannot learn (a tree of one leaf) is not the best, and only the best is fitted."""
    X, events = drawn(80, 1, 2.0)
    stump = {"name": "decision_tree", "min_leaf": 60, "label": "stump"}
    model = BestOf(members=[stump, "naive_bayes"], random_state=3).fit(X, events)
    assert (model.chosen_, list(model.fitted_)) == ("naive_bayes", ["naive_bayes"])
    assert model.means_["stump"] == 0.5


def test_the_best_has_the_risk_of_that_member_alone():
    """Nothing of the others is left in it."""
    X, events = drawn(80, 1, 2.0)
    model = BestOf(members=["knn", "naive_bayes"], random_state=3).fit(X, events)
    alone = model.make()[model.chosen_].fit(X, events)
    assert np.array_equal(model.predict_proba(X), alone.predict_proba(X))


def test_of_equals_the_first_is_taken():
    X, events = drawn(60, 2, 1.0)
    members = [{"name": "naive_bayes", "label": "one"}, {"name": "naive_bayes", "label": "two"}]
    assert BestOf(members=members).fit(X, events).chosen_ == "one"


def test_spread_counts_unless_the_rule_is_the_mean(monkeypatch):
    """A member a little better on average, and much less even, loses by one rule and wins by the other."""
    X, events = drawn(60, 2, 1.0)
    areas = iter([0.9, 0.7, 0.5, 0.7, 0.9, 0.7, 0.5, 0.7, 0.95, 0.7] * 2)
    monkeypatch.setattr("isthmus.models.best_of.auc", lambda *_: next(areas))
    members = ["naive_bayes", "knn"]
    assert BestOf(members=members).fit(X, events).chosen_ == "knn"
    assert BestOf(members=members, rule="mean").fit(X, events).chosen_ == "naive_bayes"


def test_an_unknown_rule_is_refused():
    with pytest.raises(PlanError, match="Did you mean 'mean'"):
        BestOf(rule="men").check_settings()


def test_a_file_that_names_another_member_is_refused():
    X, events = drawn(60, 2, 1.0)
    model = BestOf(members=["naive_bayes"]).fit(X, events)
    files = model.to_files()
    files["best_of.json"] = files["best_of.json"].replace(b"naive_bayes", b"svm")
    with pytest.raises(ModelFileError, match="the chosen member 'svm'"):
        BestOf.from_files({"members": ["naive_bayes"]}, files)
