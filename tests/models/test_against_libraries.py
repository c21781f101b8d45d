"""Predictions of the estimators against those of the library that fitted them, or of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from isthmus import models
from isthmus.errors import PlanError
from isthmus.models.extras import optional
from isthmus.stats.platt import platt_scaling
from isthmus.table.steps import deal_folds
from validate.drawn import design

E = models.ESTIMATORS


@pytest.fixture(scope="module")
def data():
    made = design(np.random.default_rng(3), n=90, p=6, signal=1.0)
    return made.X.to_numpy(), made.events(np.ones(90, dtype=bool))


@pytest.fixture(scope="module")
def new():
    return np.random.default_rng(4).normal(size=(150, 6))


def risk(model, values):
    return model.predict_proba(values)[:, 1]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (E["extra_trees"](trees=40, random_state=5), ExtraTreesClassifier(40, min_samples_leaf=3, random_state=5)),
        (E["decision_tree"](), DecisionTreeClassifier(max_depth=3, min_samples_leaf=8, random_state=0)),
        (E["decision_tree"](pruning=0.02), DecisionTreeClassifier(max_depth=3, min_samples_leaf=8, ccp_alpha=0.02)),
        (E["knn"](), KNeighborsClassifier(11)),
        (E["knn"](neighbours=5, weights="distance"), KNeighborsClassifier(5, weights="distance")),
        (E["naive_bayes"](), GaussianNB()),
    ],
    ids=["extra_trees", "decision_tree", "pruned tree", "knn", "knn by distance", "naive_bayes"],
)
def test_risks_are_those_of_scikit_learn(ours, theirs, data, new):
    """New rows get scikit-learn's probability within 1e-12."""
    np.testing.assert_allclose(risk(ours.fit(*data), new), risk(theirs.fit(*data), new), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_decision_values_are_those_of_the_support_vector_machine(kernel, data, new):
    """The decision value summed row by row is libsvm's within 1e-12."""
    ours = E["svm"](kernel=kernel).fit(*data)
    theirs = SVC(kernel=kernel, tol=1e-5).fit(*data)
    np.testing.assert_allclose(ours.decision(new), theirs.decision_function(new), rtol=0, atol=1e-12)


def test_the_probability_of_the_machine_is_learned_out_of_fold(data, new):
    """Platt's line comes from scikit-learn machines that did not see the rows, in folds grouped by patient."""
    X, y = np.repeat(data[0], 2, axis=0), np.repeat(data[1], 2)
    X = X + 0.3 * np.random.default_rng(6).normal(size=X.shape)
    patients = np.repeat(np.arange(90), 2)
    folds = deal_folds(patients, y, folds=5, seed=7)
    outside = np.empty(len(y))
    for fold in range(5):
        held = folds == fold
        machine = SVC(tol=1e-5).fit(X[~held], y[~held])
        outside[held] = machine.decision_function(X[held])
    slope, intercept = platt_scaling(outside, y)
    want = 1 / (1 + np.exp(-(slope * SVC(tol=1e-5).fit(X, y).decision_function(new) + intercept)))
    np.testing.assert_allclose(risk(E["svm"](random_state=7).fit(X, y, groups=patients), new), want, atol=1e-10)


def test_a_machine_that_learned_nothing_says_so():
    """Where out-of-fold distances rank the wrong way everybody gets the prevalence, with a word about it."""
    X, y = np.random.default_rng(0).normal(size=(40, 200)), np.arange(40) % 2
    model = E["svm"]().fit(X, y)
    assert np.ptp(risk(model, X)) == 0
    assert risk(model, X)[0] == pytest.approx(y.mean())
    assert "no better than chance" in model.concern()


def test_risks_of_the_network_are_those_of_scikit_learn(data, new):
    """The network trained for the epochs found, evaluated row by row, is scikit-learn's within 1e-12."""
    ours = E["mlp"](epochs=60, random_state=3).fit(*data)
    theirs = MLPClassifier((8,), alpha=1.0, learning_rate_init=0.01, batch_size=90, shuffle=False, random_state=3)
    for _ in range(ours.epochs_):
        theirs.partial_fit(*data, classes=[0, 1])
    np.testing.assert_allclose(risk(ours, new), risk(theirs, new), rtol=0, atol=1e-12)


def test_the_network_stops_early_by_patients_it_did_not_see():
    """Copies of rows under the patient's name do not look like new patients: training is shorter than with the copies on both
    sides."""
    rng = np.random.default_rng(8)
    X, y = rng.normal(size=(40, 30)), np.arange(40) % 2
    X, y, patients = np.repeat(X, 5, axis=0), np.repeat(y, 5), np.repeat(np.arange(40), 5)
    settings = {"l2": 0.0, "epochs": 100, "learning_rate": 0.05}
    assert E["mlp"](**settings).fit(X, y, groups=patients).epochs_ < E["mlp"](**settings).fit(X, y).epochs_


def test_risks_of_catboost_are_its_own(data, new):
    """The symmetric trees walked as arrays give CatBoost's risk within 1e-12."""
    catboost = pytest.importorskip("catboost")
    theirs = catboost.CatBoostClassifier(
        iterations=150, learning_rate=0.05, depth=3, rsm=0.3, l2_leaf_reg=3.0, random_seed=0, thread_count=1,
        allow_writing_files=False, verbose=False,
    ).fit(*data)  # fmt: skip
    np.testing.assert_allclose(risk(E["catboost"]().fit(*data), new), risk(theirs, new), rtol=0, atol=1e-12)


def test_catboost_leaves_no_folder_behind(data, tmp_path, monkeypatch):
    """No catboost_info in the working directory."""
    pytest.importorskip("catboost")
    monkeypatch.chdir(tmp_path)
    E["catboost"](rounds=3).fit(*data)
    assert list(tmp_path.iterdir()) == []


def test_risks_of_xgboost_are_its_own(data, new):
    """Kept as JSON, the model gives the bits of the booster that was trained."""
    xgboost = pytest.importorskip("xgboost")
    theirs = xgboost.XGBClassifier(
        n_estimators=150, learning_rate=0.05, max_depth=3, min_child_weight=2.0, colsample_bytree=0.3, reg_lambda=1.0,
        tree_method="exact", random_state=0, n_jobs=1,
    ).fit(*data)  # fmt: skip
    assert np.array_equal(risk(E["xgboost"]().fit(*data), new), risk(theirs, new).astype(np.float64))


def test_a_missing_extra_names_how_to_install_it():
    """Without the library the error names the extra."""
    with pytest.raises(
        PlanError, match=r"estimator 'catboost' needs no_such_library.*pip install 'isthmus\[catboost\]'"
    ):
        optional("no_such_library", "catboost", "catboost")


def test_neighbours_at_the_same_distance_share_the_last_places():
    """With three rows at one distance for two places each counts two thirds, so their order decides nothing."""
    X, y = np.array([[0.0], [2.0], [2.0], [2.0]]), np.array([0, 1, 0, 0])
    model = E["knn"](neighbours=3).fit(X, y)
    assert risk(model, np.array([[0.5]]))[0] == pytest.approx(2 / 9)


def test_voting_is_the_weighted_mean(data, new):
    """Soft voting equals scikit-learn's."""
    ours = E["voting"](members=["naive_bayes", {"name": "logistic", "C": 0.5}], weights=[1, 3]).fit(*data)
    members = [("a", GaussianNB()), ("b", LogisticRegression(C=0.5, tol=1e-8, max_iter=5000))]
    theirs = VotingClassifier(members, voting="soft", weights=[1, 3]).fit(*data)
    np.testing.assert_allclose(risk(ours, new), risk(theirs, new), rtol=0, atol=1e-12)


def test_stacking_learns_from_out_of_fold_risks_grouped_by_patient(data, new):
    """scikit-learn's stacking, handed our grouped folds, gives the same risk."""
    X, y, patients = np.repeat(data[0], 2, axis=0), np.repeat(data[1], 2), np.repeat(np.arange(90), 2)
    X = X + 0.1 * np.random.default_rng(5).normal(size=X.shape)
    folds = deal_folds(patients, y, folds=4, seed=9)
    cv = [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in range(4)]
    settings = {"tol": 1e-8, "max_iter": 5000}
    members = [("a", GaussianNB()), ("b", LogisticRegression(C=0.5, **settings))]
    theirs = StackingClassifier(members, LogisticRegression(**settings), cv=cv, stack_method="predict_proba").fit(X, y)
    ours = E["stacking"](members=["naive_bayes", {"name": "logistic", "C": 0.5}], folds=4, random_state=9)
    np.testing.assert_allclose(risk(ours.fit(X, y, groups=patients), new), risk(theirs, new), rtol=0, atol=1e-7)
