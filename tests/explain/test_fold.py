"""One fold explained, groups of correlated columns, and the summary over folds."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from isthmus.explain import summary
from isthmus.explain.clusters import correlated_groups
from isthmus.explain.fold import explain_fold
from isthmus.explain.settings import ExplainSettings
from isthmus.models.settings import ModelSettings
from isthmus.stats.corrected import corrected_interval
from isthmus.study.explanation import explain_rows
from isthmus.validate.nested import FoldResult, evaluate_fold
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import QUICK, build, design

SETTINGS = ExplainSettings(permutations=3, background=5, passes=1)


def one_fold(estimator: str, made=None) -> FoldResult:
    made = design(np.random.default_rng(1), n=60, p=5) if made is None else made
    spec = ModelSettings(name="m", estimator=estimator, settings=QUICK.get(estimator, {}))
    return evaluate_fold(
        spec,
        made,
        outer_splits(made.outcome.values, folds=3, repeats=1, seed=1)[0],
        build=build,
        settings=ValidateSettings(folds=3, repeats=1, inner_folds=3),
        seed=5,
        explain=lambda pipeline, train, test, seed: explain_rows(pipeline, train, test, seed, settings=SETTINGS),
    )


@pytest.mark.parametrize("estimator", ["lasso", "random_forest", "svm"])
def test_a_fold_explains_its_held_out_patients(estimator):
    """Base and values of each held-out patient give the probability the fold predicted for him; nobody else is in it."""
    result = one_fold(estimator)
    said = result.explanation
    output = said["base"] + np.array(said["shap"]).sum(axis=1)
    risk = 1 / (1 + np.exp(-output)) if said["scale"] == "log odds" else output
    found = pd.Series(risk, index=said["patients"]).loc[list(result.patients)]
    assert sorted(said["patients"]) == sorted(result.patients)
    np.testing.assert_allclose(found, result.probability, atol=1e-9)


def test_an_explained_fold_predicts_what_it_predicts_unexplained():
    """Looking changes nothing, warnings included."""
    made = design(np.random.default_rng(1), n=60, p=5)
    spec = ModelSettings(name="m", estimator="random_forest", settings=QUICK["random_forest"])
    split = outer_splits(made.outcome.values, folds=3, repeats=1, seed=1)[0]
    settings = ValidateSettings(folds=3, repeats=1, inner_folds=3)
    plain = evaluate_fold(spec, made, split, build=build, settings=settings, seed=5).to_json()
    explained = one_fold("random_forest", made).to_json()
    assert {**explained, "explanation": {}} == plain


def test_an_explanation_survives_json():
    """What a fold said is kept to the last bit."""
    result = one_fold("lasso")
    assert FoldResult.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


def test_signal_leads_in_values_and_importance():
    """The two columns with signal have the largest values, and lose the most when shuffled."""
    said = one_fold("random_forest").explanation
    sizes = pd.Series(np.abs(said["shap"]).mean(axis=0), said["features"])
    lost = pd.Series(said["importance"], said["features"])
    assert set(sizes.nlargest(2).index) == set(lost.nlargest(2).index) == {"f0", "f1"}


def test_one_class_has_no_importance():
    """Without both classes among the held-out patients there is no AUC to lose."""

    class Half:
        def contributions(self):
            return np.ones(1)

        def additive_parts(self, values):
            return values

        def tree_form(self):
            return None

        def predict_proba(self, values):
            risk = 1 / (1 + np.exp(-values[:, 0]))
            return np.column_stack([1 - risk, risk])

    rows = np.array([[0.1], [0.2]])
    said = explain_fold(Half(), ["a"], rows, rows, np.array([1, 1]), np.array(["p", "q"]), settings=SETTINGS, seed=1)
    assert said["importance"] == [None]


def test_groups_are_chains_of_correlated_columns():
    """a~b and b~c are one group even if a and c are less alike; d is alone; order of appearance numbers them."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=400)
    b = a + 0.3 * rng.normal(size=400)
    frame = pd.DataFrame({"d": rng.normal(size=400), "a": a, "b": b, "c": b + 0.3 * rng.normal(size=400)})
    found = correlated_groups(frame, 0.93)
    assert frame.corr(method="spearman").loc["a", "c"] < 0.93
    assert found == {"d": 1, "a": 2, "b": 2, "c": 2}


def fold(features, shap, importance):
    return {
        "features": features, "shap": shap, "importance": importance, "values": shap, "patients": ["p", "q"],
        "scale": "risk", "method": "exact", "error": 1e-12, "base": 0.3,
    }  # fmt: skip


FOLDS = [
    fold(["a", "b"], [[1.0, -0.5], [-3.0, 0.5]], [0.2, 0.1]),
    fold(["a", "c"], [[1.0, 2.0], [1.0, -4.0]], [0.4, 0.0]),
]


def test_the_summary_is_the_mean_over_folds():
    """Mean of the folds' mean |value|, 0 where a fold did not use the feature; sd, median rank, interval of the loss of AUC."""
    table = summary.features(FOLDS, {"a": 1, "b": 1, "c": 2}, ratio=0.5, confidence=0.95).set_index("feature")
    interval = corrected_interval([0.2, 0.4], test_train_ratio=0.5)
    assert table["mean_abs"].to_dict() == {"a": 1.5, "c": 1.5, "b": 0.25}
    assert table.loc["a", ["sd", "rank", "importance", "lower"]].tolist() == pytest.approx(
        [np.sqrt(0.5), 1.5, 0.3, interval.lower]
    )


def test_a_group_is_the_size_of_the_sum():
    """Values of opposite sign within a group cancel: |1 - 0.5|, |-3 + 0.5| in the first fold, a alone in the second."""
    table = summary.groups(FOLDS, {"a": 1, "b": 1, "c": 2})
    assert table[["group", "features", "mean_abs"]].to_numpy().tolist() == [
        ["1", "a; b", pytest.approx((1.5 + 1.0) / 2)]
    ]


def test_a_family_is_the_sum_of_its_used_members():
    """The size of a is that of its family with the unused d; a family of one, and one nobody used, are not listed."""
    table = summary.groups(FOLDS, {}, {"size": ["a", "d"], "alone": ["c"], "unused": ["e", "f"]})
    assert table[["kind", "group", "features"]].to_numpy().tolist() == [["family", "size", "a"]]
    assert table["mean_abs"].iloc[0] == pytest.approx(1.5)


def test_the_overview_says_how_stable_the_order_is():
    """Spearman's correlation of sizes (2, 0.5, 0) and (1, 0, 3) is -0.5."""
    line = summary.overview("m", FOLDS)
    assert (line["rank_stability"], line["features"], line["folds"]) == (pytest.approx(-0.5), 3, 2)


def test_every_value_is_in_the_long_table():
    """Fold, patient, feature, Shapley value and base belong together."""
    table = summary.values(FOLDS, [(1, 1), (1, 2)])
    row = table[(table["fold"] == 2) & (table["patient"] == "q") & (table["feature"] == "c")].iloc[0]
    assert (len(table), row["shap"], row["base"]) == (8, -4.0, 0.3)
