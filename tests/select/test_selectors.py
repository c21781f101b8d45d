"""The selectors that look at columns together: what is planted is found."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import RFE
from sklearn.svm import SVC

from isthmus.errors import PlanError
from isthmus.select.boruta import BorutaSelector
from isthmus.select.l21 import L21Selector
from isthmus.select.lasso import ElasticNetSelector, LassoSelector
from isthmus.select.mrmr import MrmrSelector
from isthmus.select.mutual_information import MutualInformationSelector
from isthmus.select.rfe import CrossValidatedEliminationSelector, EliminationSelector
from isthmus.select.stability import StabilitySelector, _half
from validate.drawn import design


def planted(n: int = 120, p: int = 40, signal: float = 2.0) -> tuple[pd.DataFrame, np.ndarray]:
    """f0 and f1 carry the signal."""
    made = design(np.random.default_rng(11), n=n, p=p, signal=signal)
    return made.X, made.events(np.ones(n, dtype=bool))


FINDERS = {
    "mrmr": MrmrSelector(k=2),
    "mrmr by information": MrmrSelector(k=2, measure="mutual_information"),
    "mutual information": MutualInformationSelector(k=2),
    "l21": L21Selector(k=2),
    "l21, squared": L21Selector(k=2, loss="squared"),
    "lasso, k": LassoSelector(k=2),
    "elastic net, k": ElasticNetSelector(k=2),
    "rfe": EliminationSelector(k=2),
    "rfe, logistic": EliminationSelector(k=2, base="logistic"),
    "rfe, forest": EliminationSelector(k=2, base="random_forest", share=0.5),
    "stability": StabilitySelector(base={"name": "lasso", "k": 3}, samples=20, threshold=0.9),
    "boruta": BorutaSelector(trees=50),
}


@pytest.mark.parametrize("name", FINDERS)
def test_the_planted_columns_are_found(name):
    """Two strong columns among forty are the ones that stay."""
    X, y = planted()
    assert FINDERS[name].fit(X, y).get_feature_names_out().tolist() == ["f0", "f1"]


def test_boruta_finds_a_redundant_column_too():
    """All relevant columns stay, also a copy that adds nothing (a minimal set would leave it out)."""
    X, y = planted()
    X = X.assign(copy=X["f0"] + 0.3 * np.random.default_rng(0).normal(size=len(X)))
    assert set(BorutaSelector(trees=50).fit(X, y).get_feature_names_out()) == {"f0", "f1", "copy"}


def test_boruta_of_noise_keeps_one_column_that_it_did_not_confirm():
    """Without signal nothing is confirmed, and the fold still has a model."""
    X, y = planted(60, 10, signal=0.0)
    assert len(BorutaSelector(rounds=8, trees=20).fit(X, y).get_feature_names_out()) == 1


def test_elimination_one_by_one_is_that_of_scikit_learn():
    """With one column a round the same columns are left as by sklearn's RFE."""
    X, y = planted(80, 15, signal=0.6)
    standard = ((X - X.mean()) / X.std(ddof=0)).to_numpy()
    theirs = RFE(SVC(kernel="linear", C=1.0), n_features_to_select=4, step=1).fit(standard, y)
    ours = EliminationSelector(k=4, share=1e-6).fit(X, y)
    assert ours.get_feature_names_out().tolist() == X.columns[theirs.support_].tolist()


def test_cross_validated_elimination_stops_near_the_signal():
    """The size with the best inner AUC is small, holds the signal, and its AUC is reported."""
    X, y = planted()
    step = CrossValidatedEliminationSelector(random_state=1).fit(X, y, groups=X.index.astype(str))
    left = step.get_feature_names_out().tolist()
    assert {"f0", "f1"} <= set(left)
    assert len(left) < 15
    assert step.auc_[step.sizes_ == len(left)] == step.auc_.max()


def test_half_samples_keep_the_rows_of_a_patient_together():
    """Half of the patients of each class, with all their rows."""
    patients = np.repeat([f"P{i}" for i in range(20)], 3)
    outcome = np.repeat(np.arange(20) % 4 == 0, 3).astype(np.int64)
    rows = _half(patients, outcome, 5)
    drawn = set(patients[rows])
    assert sorted(rows) == [i for i, name in enumerate(patients) if name in drawn]
    assert (len(drawn), len(set(patients[rows][outcome[rows] == 1]))) == (9, 2)


def test_stability_counts_how_often_the_base_chose_a_column():
    """Frequencies are those of the base selector fitted on the same half-samples."""
    X, y = planted(60, 8)
    step = StabilitySelector(base={"name": "univariate", "k": 2}, samples=20, random_state=3).fit(X, y)
    assert step.frequency_.sum() == pytest.approx(2.0)
    assert step.frequency_[:2].min() > step.frequency_[2:].max()


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("univariat", "Did you mean 'univariate'"),
        ("stability", "is no selector"),
        ("pca", "is no selector"),
        ({"name": "mrmr", "count": 3}, "base 'mrmr' has no setting 'count'"),
        ({"name": "mrmr", "k": 0}, "step 'mrmr': k = 0"),
        ({"k": 3}, "expected a selector's name"),
    ],
)
def test_a_wrong_base_is_named(base, message):
    """The message says what is wrong with the base."""
    with pytest.raises(PlanError, match=message):
        StabilitySelector(base=base).check_settings()


def test_the_first_k_of_the_path_are_those_of_larger_k():
    """Columns that enter first for k = 3 are among those for k = 8."""
    X, y = planted(60, 30, signal=0.8)
    three, eight = (set(LassoSelector(k=k).fit(X, y).get_feature_names_out()) for k in (3, 8))
    assert (len(three), len(eight), three <= eight) == (3, 8, True)


@pytest.mark.parametrize("name", ["rfecv", "stability", "lasso"])
def test_groups_are_taken(name):
    """Selectors with folds or samples of their own are told whose rows belong together."""
    from isthmus.select import STEPS

    assert STEPS[name].needs_groups


def test_selection_is_the_same_for_the_same_seed():
    """Two fits with one seed agree; nothing draws from a global state."""
    X, y = planted(60, 12, signal=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fits = [BorutaSelector(rounds=10, trees=20, random_state=7).fit(X, y).to_state() for _ in range(2)]
    assert fits[0] == fits[1]


def test_the_elastic_net_keeps_a_copy_the_lasso_leaves_out():
    """Of two all but equal columns the elastic net keeps both, and with alpha = 1 it is the LASSO."""
    X, y = planted(80, 10, signal=1.2)
    X = X.assign(copy=X["f0"] + 1e-3 * np.random.default_rng(0).normal(size=len(X)))
    net = ElasticNetSelector(alpha=0.3, rule="1se").fit(X, y).get_feature_names_out().tolist()
    one, lasso = (step.fit(X, y).dropped_ for step in (ElasticNetSelector(alpha=1.0), LassoSelector()))
    assert ({"f0", "copy"} <= set(net), one) == (True, lasso)
