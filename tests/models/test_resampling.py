"""Resampling steps: what imbalanced-learn does, in training rows only."""

from __future__ import annotations

import warnings

import imblearn.combine
import imblearn.over_sampling
import numpy as np
import pandas as pd
import pytest

from isthmus import models
from isthmus.errors import IsthmusWarning, LeakageError, PlanError, TableError
from isthmus.models.settings import ModelSettings
from isthmus.stats.recalibration import prior_shift
from isthmus.table.steps import Resampler, check_order
from validate.drawn import QUICK, STEPS, build

NAMES = sorted(name for name, step in STEPS.items() if issubclass(step, Resampler))
ON_NUMBERS = [name for name in NAMES if name not in ("smote_nc", "balance")]  # balance does nothing unless told
TWINS = {
    "smote": imblearn.over_sampling.SMOTE,
    "borderline_smote": imblearn.over_sampling.BorderlineSMOTE,
    "svm_smote": imblearn.over_sampling.SVMSMOTE,
    "adasyn": imblearn.over_sampling.ADASYN,
    "smote_enn": imblearn.combine.SMOTEENN,
    "smote_tomek": imblearn.combine.SMOTETomek,
}


def rare(n: int = 80, p: int = 4) -> tuple[pd.DataFrame, np.ndarray]:
    """One patient in five has the event; the first column tells them apart a little; sds from 1 to 1,000."""
    rng = np.random.default_rng(8)
    events = (np.arange(n) % 5 == 0).astype(int)
    values = rng.normal(size=(n, p))
    values[:, 0] += events
    return pd.DataFrame(values * 10.0 ** np.arange(p), columns=[f"f{i}" for i in range(p)]), events


def mixed() -> tuple[pd.DataFrame, np.ndarray]:
    X, events = rare()
    return X.assign(stage=np.where(X["f1"] > 0, "I", "II"), sex=np.where(np.arange(80) % 2, "f", "m")), events


@pytest.mark.parametrize("name", sorted(TWINS))
def test_the_rows_are_those_of_imbalanced_learn(name):
    """On standardised columns the step gives the rows and classes that imbalanced-learn gives, in some order."""
    X, events = rare()
    standard = (X - X.mean()) / X.std(ddof=0)
    made, classes, _ = STEPS[name](random_state=3).resample(X, events)
    twin, expected = TWINS[name](random_state=3).fit_resample(standard.to_numpy(), events)
    back = np.column_stack([twin * X.std(ddof=0).to_numpy() + X.mean().to_numpy(), expected])
    ours = np.column_stack([made.to_numpy(), classes])
    assert ours[np.lexsort(ours.T)] == pytest.approx(back[np.lexsort(back.T)], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ON_NUMBERS)
def test_the_classes_are_about_equally_many_afterwards(name):
    """Balance is what the step is for; cleaning and ADASYN's rounding leave it within a third."""
    X, events = rare()
    counts = np.bincount(STEPS[name]().resample(X, events)[1])
    assert counts.min() / counts.max() > 0.67


@pytest.mark.parametrize("name", ["smote", "adasyn", "borderline_smote", "svm_smote"])
def test_measured_rows_keep_every_bit(name):
    """The real rows come first and unchanged."""
    X, events = rare()
    made, _, _ = STEPS[name]().resample(X, events)
    pd.testing.assert_frame_equal(made.iloc[: len(X)], X, check_exact=True)


def test_neighbours_do_not_depend_on_the_units_of_columns():
    """A column in other units, by a power of two: the same rows in the new units."""
    X, events = rare()
    one, _, _ = STEPS["smote"]().resample(X, events)
    other, _, _ = STEPS["smote"]().resample(X * 8.0, events)
    assert (one * 8.0).to_numpy() == pytest.approx(other.to_numpy(), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_happens_while_predicting(name):
    """transform gives the rows it was given."""
    X, events = mixed()
    assert STEPS[name]().fit(X, events).transform(X).equals(X)


def test_invented_rows_belong_to_nobody():
    """Each has a name of its own, so no patient gains a row."""
    X, events = rare()
    patients = np.array([f"P{i}" for i in range(80)])
    _, _, owners = STEPS["smote"]().resample(X, events, patients)
    assert (len(owners), len(set(owners)), set(owners[:80]) == set(patients)) == (128, 128, True)


def test_a_repeated_row_stays_its_patients():
    """Random over-sampling keeps the owner with the copy."""
    X, events = rare()
    patients = np.array([f"P{i}" for i in range(80)])
    made, _, owners = STEPS["over_sample"]().resample(X, events, patients)
    where = {name: X.iloc[i].tolist() for i, name in enumerate(patients)}
    assert all(made.iloc[i].tolist() == where[owner] for i, owner in enumerate(owners))


def test_categories_of_invented_rows_are_known_ones():
    """SMOTE-NC gives an invented patient a stage somebody has, and numbers between those of others."""
    X, events = mixed()
    made, _, _ = STEPS["smote_nc"]().resample(X, events)
    assert (len(made), set(made["stage"]), made["f0"].max() <= X["f0"].max()) == (128, {"I", "II"}, True)


def test_few_events_reduce_the_neighbours_and_say_so():
    """With 4 rows of the rare class each has 3 neighbours, not 5."""
    X, _ = rare()
    with pytest.warns(IsthmusWarning, match=r"4 training rows, so each has 3 neighbours instead of k_neighbors = 5"):
        STEPS["smote"]().resample(X, (np.arange(80) < 4).astype(int))


def test_a_single_event_has_no_neighbour():
    """One row of a class is an error that says what to do."""
    X, _ = rare()
    with pytest.raises(TableError, match=r"the rarest class has 1 training row. Use 'over_sample'"):
        STEPS["smote"]().resample(X, (np.arange(80) < 1).astype(int))


@pytest.mark.parametrize(
    ("columns", "advice"), [(["f0", "f1"], "use 'smote'"), (["stage", "sex"], "use 'over_sample'")]
)
def test_smote_nc_needs_both_kinds_of_columns(columns, advice):
    """Only numbers or only text: the message names the step to use."""
    X, events = mixed()
    with pytest.raises(TableError, match=advice):
        STEPS["smote_nc"]().resample(X[columns], events)


@pytest.mark.parametrize("name", NAMES)
def test_resampling_before_the_split_is_refused(name):
    """L3: a resampler may run inside the training part of a fold only."""
    with pytest.raises(LeakageError, match="inside the training part of a fold"):
        check_order([STEPS[name]], where="before the split")


def test_a_step_with_folds_of_its_own_may_not_follow_invented_rows():
    """Folds inside a step would have parents and children on both sides."""
    steps = ["impute", "encode", "scale", "smote", "lasso"]
    with pytest.raises(PlanError, match=r"'lasso' makes folds of its own.*belong to no patient"):
        build(ModelSettings(name="m", estimator="logistic", steps=steps), [], seed=1)


def makes_folds(estimator: str) -> bool:
    made = models.ESTIMATORS[estimator]()
    return made.needs_groups and not hasattr(made, "path_grid")


BINARY = sorted(name for name, known in models.ESTIMATORS.items() if "binary" in getattr(known, "tasks", ("binary",)))
PAIRS = [(estimator, "over_sample") for estimator in BINARY] + [(e, "smote") for e in BINARY if not makes_folds(e)]


@pytest.mark.parametrize("estimator", [name for name in BINARY if makes_folds(name)])
def test_an_estimator_with_folds_of_its_own_may_not_follow_invented_rows(estimator):
    """Its folds would have parents and children on both sides; over-sampling, which keeps the owner, may stand there."""
    with pytest.raises(PlanError, match=r"makes folds of its own.*use 'over_sample'"):
        build(ModelSettings(name="m", estimator=estimator, steps=["impute", "encode", "scale", "smote"]), [], seed=1)


@pytest.mark.parametrize(("estimator", "name"), PAIRS)
def test_the_risk_is_carried_back_to_the_prevalence_of_the_training_rows(estimator, name):
    """What the pipeline says is the estimator's own risk under the formula of the prior shift, exactly."""
    X, events = rare()
    steps = ["impute", "encode", "scale", name]
    spec = ModelSettings(name="m", estimator=estimator, steps=steps, settings=QUICK.get(estimator, {}))
    pipeline = build(spec, X, seed=1)
    pipeline.fit(X, events)
    own = pipeline.estimator.predict_proba(pipeline.transform(X))
    assert np.array_equal(pipeline.predict_proba(X), prior_shift(own, [0.8, 0.2], [0.5, 0.5]))


def test_class_weights_shift_the_prevalence_like_repeated_rows():
    """Balanced weights and rows repeated to balance are one logistic model, risk for risk."""
    X, events = rare()
    X = X.loc[:, ["f0", "f1"]]
    ridge = {"estimator": "logistic", "steps": ["impute", "encode", "scale"]}
    weighted = build(ModelSettings(name="m", class_weight="balanced", **ridge), X, seed=1).fit(X, events)
    plain = build(ModelSettings(name="m", **ridge), X, seed=1)
    again = np.concatenate([np.arange(80), np.repeat(np.flatnonzero(events), 3)])
    plain.fit_steps(rows_of(X, events))
    plain.estimator.fit(plain.transform(X).iloc[again], events[again])
    own = plain.estimator.predict_proba(plain.transform(X))
    assert weighted.predict_proba(X) == pytest.approx(prior_shift(own, [0.8, 0.2], [0.5, 0.5]), abs=1e-6)


def rows_of(X: pd.DataFrame, events: np.ndarray):
    from isthmus.table.memory import Rows

    return Rows(X, events, np.arange(len(X)))


def test_class_weight_of_an_estimator_without_weights_is_refused():
    """The message names those that take weights."""
    with pytest.raises(PlanError, match=r"takes no class_weight; .*random_forest.* do"):
        build(ModelSettings(name="m", estimator="lasso", class_weight="balanced"), [], seed=1)


def test_a_model_file_holds_no_resampler():
    """Step and imbalanced-learn are gone from the file, and the risk is the same to the last bit."""
    X, events = rare()
    spec = ModelSettings(
        name="m", estimator="lasso", settings={"penalty": 0.02}, steps=["impute", "encode", "scale", "smote"]
    )
    pipeline = build(spec, X, seed=1).fit(X, events)
    files = models.save_pipeline(pipeline)
    again = models.load_pipeline(files, steps={name: step for name, step in STEPS.items() if name not in NAMES})
    assert np.array_equal(again.predict_proba(X), pipeline.predict_proba(X))


def test_nothing_is_said_where_nothing_is_wrong():
    """A plain SMOTE warns of nothing."""
    X, events = rare()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        STEPS["smote"]().resample(X, events)
