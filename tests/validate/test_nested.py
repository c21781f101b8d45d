"""One fold of nested cross-validation, and the final model."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from isthmus import models
from isthmus.errors import LeakageError, TableError
from isthmus.models.settings import ModelSettings
from isthmus.stats.threshold import choose_threshold
from isthmus.table import Outcome
from isthmus.table.memory import Memory
from isthmus.table.steps import deal_folds
from isthmus.validate import develop, training
from isthmus.validate.nested import Design, FoldResult, evaluate_fold, fit_final
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import QUICK, build, design

SETTINGS = ValidateSettings(folds=3, repeats=1, inner_folds=3)


def spec(estimator: str = "lasso", **more) -> ModelSettings:
    return ModelSettings(name="m", estimator=estimator, **{"settings": QUICK.get(estimator, {}), **more})


def first_split(made: Design, folds: int = 3):
    return outer_splits(made.outcome.values, folds=folds, repeats=1, seed=1)[0]


def one_fold(made: Design, model: ModelSettings, seed: int = 5, settings: ValidateSettings = SETTINGS) -> FoldResult:
    return evaluate_fold(model, made, first_split(made), build=build, settings=settings, seed=seed)


@pytest.fixture(scope="module")
def made() -> Design:
    return design(np.random.default_rng(0), n=60, p=8)


@pytest.mark.parametrize("estimator", sorted(models.estimators_of("binary")))
def test_a_planted_signal_is_found(made, estimator):
    """Every estimator separates the held-out patients of a strong signal."""
    assert one_fold(made, spec(estimator)).auc > 0.8


@pytest.mark.parametrize("estimator", sorted(models.estimators_of("binary")))
def test_the_same_seed_gives_the_same_result(made, estimator):
    """Twice the same fold: equal to the last bit."""
    assert one_fold(made, spec(estimator)) == one_fold(made, spec(estimator))


@pytest.mark.parametrize("estimator", sorted(models.estimators_of("binary")))
def test_a_result_survives_json_exactly(made, estimator):
    """to_json, a JSON text, from_json: an equal result, floats to the last bit."""
    result = one_fold(made, spec(estimator))
    assert FoldResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_results_follow_the_patients_of_the_split(made):
    """Patients, outcomes and probabilities are in the order of the split's test patients."""
    result = one_fold(made, spec())
    assert result.patients == first_split(made).test
    assert list(result.outcome) == made.outcome.values.loc[list(result.patients)].tolist()


def test_the_probability_of_a_patient_is_the_mean_over_his_rows():
    """Three rows of one patient: one probability, their mean."""
    many = design(np.random.default_rng(1), n=45, p=5, rows=3)
    split = first_split(many)
    result = one_fold(many, spec(threshold=0.5))
    train = many.rows(many.mask(split.train))
    learned = develop.develop(spec(threshold=0.5), train, build=build, settings=SETTINGS, seed=5, memory=Memory())
    rows = many.X[many.patients == result.patients[0]]
    assert result.probability[0] == pytest.approx(learned.pipeline.predict_proba(rows)[:, 1].mean(), abs=1e-15)


def test_many_rows_per_patient_are_never_split_inside(monkeypatch):
    """Also the inner folds hold all rows of a patient together."""
    many = design(np.random.default_rng(1), n=45, p=5, rows=3)
    seen = []

    def spy(patients, *args, **kwargs):
        folds = deal_folds(patients, *args, **kwargs)
        seen.append(pd.Series(folds).groupby(np.asarray(patients)).nunique().max())
        return folds

    monkeypatch.setattr(develop, "deal_folds", spy)
    one_fold(many, spec("random_forest"))
    assert seen == [1]


def test_the_threshold_comes_from_training_predictions(made):
    """L5: the threshold is the rule applied to inner out-of-fold predictions; test rows play no part."""
    split = first_split(made)
    train = np.isin(made.patients, split.train)
    X, patients, events = made.X[train].reset_index(drop=True), made.patients[train], made.events(train)
    from isthmus.stats.seeds import child_seed

    folds = deal_folds(patients, events, folds=3, seed=child_seed(ValidateSettings().seed, "inner folds"))
    risks = np.empty(len(events))
    for fold in range(3):
        held = folds == fold
        pipeline = build(spec("lightgbm"), X, seed=5).fit(X[~held], events[~held])
        risks[held] = pipeline.predict_proba(X[held])[:, 1]
    assert one_fold(made, spec("lightgbm")).threshold == choose_threshold(events, risks, "youden")


def test_a_model_may_override_the_threshold(made):
    """The model's own rule goes before that of [validate]."""
    assert one_fold(made, spec(threshold=0.25)).threshold == 0.25


def test_a_fixed_threshold_needs_no_inner_predictions(made, monkeypatch):
    """With a fixed threshold and nothing to tune the inner cross-validation is not run (the null study relies on it)."""
    monkeypatch.setattr(develop, "out_of_fold_risks", lambda *args: pytest.fail("inner cross-validation was run"))
    assert one_fold(made, spec("lightgbm", threshold=0.5)).threshold == 0.5


def test_out_of_bag_is_used_only_where_it_is_honest(made):
    """Out-of-bag risks stand in for inner folds unless a step saw the outcome or a patient has several rows."""
    X = made.X
    plain = build(spec("random_forest"), X, seed=1)
    selecting = build(spec("random_forest", steps=["impute", {"name": "univariate", "k": 3}]), X, seed=1)
    twice = np.repeat(made.patients[:30], 2)
    found = [
        training.out_of_bag_is_honest(plain, made.patients),
        training.out_of_bag_is_honest(selecting, made.patients),
        training.out_of_bag_is_honest(plain, twice),
        training.out_of_bag_is_honest(build(spec("lightgbm"), X, seed=1), made.patients),
    ]
    assert found == [True, False, False, False]


def test_tuning_takes_the_best_and_logs_every_trial(made):
    """The chosen settings are those with the largest inner AUC, and all trials are kept."""
    result = one_fold(made, spec("lightgbm", tuning={"leaves": [2, 7], "min_leaf": [8, 25]}))
    assert len(result.trials) == 4
    best = max(result.trials, key=lambda trial: trial["score"])
    assert result.tuned == best["settings"]


def test_of_equal_trials_the_first_wins(made):
    """A tie is decided by order: put the simpler value first."""
    result = one_fold(made, spec("random_forest", settings={"trees": 10}, tuning={"max_features": [0.999, 1.0]}))
    assert result.tuned == {"max_features": 0.999}


def test_settings_of_steps_are_tuned_too(made):
    """`univariate.k` tunes the step."""
    steps = ["impute", "scale", {"name": "univariate", "k": 1}]
    result = one_fold(made, spec("logistic", steps=steps, tuning={"univariate.k": [2, 8]}))
    assert len(result.selected) == result.tuned["univariate.k"]


def test_the_penalty_of_the_lasso_is_logged(made):
    """The chosen penalty and the loss of every penalty tried are in the result."""
    result = one_fold(made, spec())
    tried = {trial["settings"]["penalty"]: trial["score"] for trial in result.trials}
    assert result.tuned["penalty"] == min(tried, key=tried.get)


def test_dropped_columns_have_step_and_reason():
    """A column missing in all training rows is in `dropped`, with the step that dropped it."""
    made = design(np.random.default_rng(0), n=60, p=4)
    gap = Design(made.X.assign(gap=np.nan), made.patients, made.outcome)
    assert one_fold(gap, spec()).dropped == {"gap": "impute: no value in any training row"}


def test_warnings_are_kept_with_the_fold():
    """A category unseen in training is reported in the fold's result, not printed."""
    made = design(np.random.default_rng(0), n=60, p=4)
    test = first_split(made).test
    stage = np.where(made.patients == test[0], "IV", np.where(np.arange(60) % 2, "I", "II"))
    result = one_fold(Design(made.X.assign(stage=stage), made.patients, made.outcome), spec())
    assert any("'IV' did not occur" in message for message in result.warnings)


def test_an_empty_model_is_said(made):
    """A LASSO that selects nothing predicts the prevalence, and the result says so."""
    result = one_fold(made, spec(settings={"penalty": 10.0}))
    assert result.selected == {}
    assert result.warnings == ("no column plays a part in the model: every patient gets the same probability",)


def test_few_events_reduce_the_inner_folds_and_say_so():
    """With 3 training events there are 3 inner folds, and the result says so."""
    made = design(np.random.default_rng(0), n=40, p=4)
    events = pd.Series((np.arange(40) < 4).astype(int), index=made.outcome.values.index)
    rare = Design(made.X, made.patients, Outcome("y", "binary", events))
    split = outer_splits(events, folds=4, repeats=1, seed=1)[0]
    result = evaluate_fold(spec(), rare, split, build=build, settings=ValidateSettings(), seed=1)
    assert any("3 inner folds are used instead of 5" in message for message in result.warnings)


def test_the_final_model_is_the_procedure_on_all_rows(made):
    """fit_final gives a fitted pipeline, a threshold, and the cohort's numbers."""
    final = fit_final(spec(), made, build=build, settings=SETTINGS, seed=3)
    assert (final.n_patients, final.n_events) == (60, 20)
    assert final.predict(made.X, made.patients).index.tolist() == list(made.patients)


def test_the_outcome_among_the_predictors_is_refused(made):
    """L10: a column named as the outcome cannot be a predictor."""
    with pytest.raises(LeakageError, match="'metastasis' is among the predictors"):
        Design(made.X.assign(metastasis=1), made.patients, made.outcome)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: Design(d.X, d.patients[:-1], d.outcome), "60 rows of predictors but 59 patients"),
        (lambda d: Design(d.X, ["stranger", *d.patients[1:]], d.outcome), r"no outcome for 1 patient\(s\): stranger"),
        (lambda d: Design(d.X.assign(f0=np.inf), d.patients, d.outcome), r"infinite values in 1 column\(s\): f0"),
        (lambda d: Design(pd.concat([d.X, d.X], axis=1), d.patients, d.outcome), "columns occur twice: f0"),
    ],
)
def test_a_design_that_cannot_be_used(made, change, message):
    """Lengths, unknown patients, infinities and duplicate columns are errors that name them."""
    with pytest.raises(TableError, match=message):
        change(made)


def test_a_patient_without_rows_is_an_error(made):
    """A split that names a patient who has no row is refused."""
    lacking = Design(made.X.iloc[1:], made.patients[1:], made.outcome)
    with pytest.raises(TableError, match=r"no row for 1 patient\(s\) of the split: P000"):
        one_fold(lacking, spec())


@pytest.mark.parametrize("estimator", sorted(models.estimators_of("binary")))
@pytest.mark.parametrize("rows", [1, 3])
def test_the_order_of_rows_changes_no_bit(estimator, rows):
    """A shuffled table, also with several rows of a patient, gives the same probabilities to the last bit."""
    straight = design(np.random.default_rng(3), n=36, p=5, rows=rows)
    order = np.random.default_rng(4).permutation(len(straight.X))
    shuffled = Design(straight.X.iloc[order], straight.patients[order], straight.outcome)
    assert one_fold(straight, spec(estimator)) == one_fold(shuffled, spec(estimator))


def test_a_design_without_predictors_is_refused(made):
    """A model without columns is an error at the door, not inside a library."""
    with pytest.raises(TableError, match="no predictors"):
        Design(made.X.iloc[:, :0], made.patients, made.outcome)


def test_separation_is_among_the_warnings_of_the_fold(made):
    """A logistic model that ran towards infinity is reported with the fold."""
    events = made.events(np.ones(len(made.X), dtype=bool))
    result = one_fold(Design(made.X.assign(copy=events.astype(float)), made.patients, made.outcome), spec("logistic"))
    assert any("separate the classes" in text for text in result.warnings)
