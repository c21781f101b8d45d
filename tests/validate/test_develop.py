"""What is learned from the training rows: recalibration, resampling, and the memory that several models share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.models.settings import ModelSettings
from isthmus.stats.recalibration import recalibrate
from isthmus.stats.seeds import child_seed
from isthmus.stats.threshold import choose_threshold
from isthmus.table import Outcome
from isthmus.table.memory import Memory, content_key
from isthmus.table.steps import deal_folds
from isthmus.validate.nested import Design, FoldResult, evaluate_fold
from isthmus.validate.null_study import null_outcome
from isthmus.validate.settings import ValidateSettings
from isthmus.validate.splits import outer_splits
from validate.drawn import build, design

SETTINGS = ValidateSettings(folds=3, repeats=1, inner_folds=3)
QUICK = {"rounds": 15}
MANY = [
    ModelSettings(name="lasso"),
    ModelSettings(name="forest", estimator="random_forest", settings={"trees": 20}),
    ModelSettings(
        name="smote",
        estimator="lightgbm",
        settings=QUICK,
        steps=["impute", "encode", "variance", "correlation", "smote"],
        tuning={"leaves": [2, 5]},
        calibration="logistic",
    ),
    ModelSettings(
        name="few",
        estimator="logistic",
        settings={"C": 1.0},
        steps=["impute", "encode", "variance", "scale", "correlation", {"name": "univariate", "k": 2}],
        tuning={"univariate.k": [2, 4]},
    ),
]


@pytest.fixture(scope="module")
def made() -> Design:
    drawn = design(np.random.default_rng(0), n=60, p=8)
    stage = np.where(np.arange(60) % 7 == 0, None, np.where(np.arange(60) % 2, "I", "II"))
    return Design(drawn.X.assign(stage=stage), drawn.patients, drawn.outcome)


def fold(made: Design, model: ModelSettings, memory: Memory | None = None, which: int = 0) -> FoldResult:
    split = outer_splits(made.outcome.values, folds=3, repeats=1, seed=1)[which]
    seed = child_seed(5, model.name)
    return evaluate_fold(model, made, split, build=build, settings=SETTINGS, seed=seed, memory=memory)


@pytest.mark.parametrize("limit_bytes", [0, 40_000, 400_000_000])
def test_a_shared_memory_changes_no_bit(made, limit_bytes):
    """With no memory, one that keeps forgetting and one that forgets nothing: equal results, warnings and trials."""
    memory = Memory(limit_bytes)
    assert [fold(made, model, memory) for model in MANY] == [fold(made, model, Memory(0)) for model in MANY]


def test_models_with_equal_steps_share_them(made):
    """A second model with the same first steps and the same folds takes them from the memory."""
    memory = Memory()
    fold(made, MANY[0], memory)
    before = memory.hits
    fold(made, MANY[3], memory)
    assert memory.hits > before


def test_a_memory_keeps_to_its_limit():
    """The oldest goes first."""
    memory = Memory(100)
    for number in range(5):
        memory.recall(bytes([number]), lambda: "value", lambda _: 40)
    memory.recall(bytes([4]), lambda: pytest.fail("it was kept"), lambda _: 40)
    made_again = []
    memory.recall(bytes([0]), lambda: made_again.append(1), lambda _: 40)
    assert made_again == [1]


def test_the_memory_says_again_what_was_warned_of():
    """A warning of a remembered step reaches every model that uses it."""
    import warnings

    memory = Memory()

    def make() -> int:
        warnings.warn("a column is odd", UserWarning, stacklevel=1)
        return 1

    for _ in range(2):
        with pytest.warns(UserWarning, match="a column is odd"):
            memory.recall(b"k", make, lambda _: 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.assign(a=X["a"] + 1e-12),
        lambda X: X.rename(columns={"a": "c"}),
        lambda X: X.assign(b=["x", "z"]),
        lambda X: X.iloc[::-1],
        lambda X: X.assign(a=X["a"].astype("float32").astype(object)),
    ],
)
def test_another_table_has_another_key(change):
    """Values, names, text, order and types all count."""
    X = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    assert content_key(change(X)) != content_key(X)


def inner_risks(made: Design, model: ModelSettings) -> tuple[np.ndarray, np.ndarray]:
    """Out-of-fold risks of the training rows, the slow way."""
    train = made.rows(made.mask(outer_splits(made.outcome.values, folds=3, repeats=1, seed=1)[0].train))
    seed = child_seed(5, model.name)
    folds = deal_folds(train.patients, train.events, folds=3, seed=child_seed(ValidateSettings().seed, "inner folds"))
    risks = np.empty(len(folds))
    for held in range(3):
        out = folds == held
        fitted = build(model, train.X, seed=seed).fit(train.X[~out], train.events[~out], train.patients[~out])
        risks[out] = fitted.predict_proba(train.X[out])[:, 1]
    return train.events, risks


@pytest.mark.parametrize("kind", ["logistic", "intercept", "temperature"])
def test_recalibration_is_learned_on_inner_predictions_of_training_rows(made, kind):
    """L12: the map is that of the training rows' out-of-fold risks, and test patients are only sent through it."""
    plain = ModelSettings(name="m", estimator="lightgbm", settings=QUICK)
    result = fold(made, plain.model_copy(update={"calibration": kind}))
    mapping = recalibrate(kind, *inner_risks(made, plain))
    assert result.probability == tuple(mapping.apply(np.array(fold(made, plain).probability)))


def test_the_threshold_is_chosen_after_recalibration(made):
    """Youden on the recalibrated inner risks."""
    plain = ModelSettings(name="m", estimator="lightgbm", settings=QUICK)
    events, risks = inner_risks(made, plain)
    expected = choose_threshold(events, recalibrate("logistic", events, risks).apply(risks), "youden")
    assert fold(made, plain.model_copy(update={"calibration": "logistic"})).threshold == expected


def test_the_threshold_is_chosen_on_corrected_risks(made):
    """After SMOTE the threshold belongs to risks at the training prevalence."""
    model = ModelSettings(name="m", estimator="lightgbm", settings=QUICK, steps=["impute", "encode", "smote"])
    assert fold(made, model).threshold == choose_threshold(*inner_risks(made, model), "youden")


def test_what_the_probability_was_before_is_kept(made):
    """`unadjusted` is the estimator's own word, and empty where nothing was adjusted."""
    smote = ModelSettings(name="m", estimator="lightgbm", settings=QUICK, steps=["impute", "encode", "smote"])
    found = fold(made, smote), fold(made, ModelSettings(name="m", estimator="lightgbm", settings=QUICK))
    assert (np.mean(found[0].unadjusted) > np.mean(found[0].probability), found[1].unadjusted) == (True, ())


def test_isotonic_recalibration_of_a_small_study_is_refused(made):
    """Too few events for a free map: the message says how many there are."""
    with pytest.raises(TableError, match=r"the smaller class has 13 training patients"):
        fold(made, ModelSettings(name="m", estimator="lightgbm", settings=QUICK, calibration="isotonic"))


def test_out_of_bag_is_not_used_after_resampling(made):
    """A forest on invented rows has bags that hold relatives of the rows outside: inner folds are used."""
    from isthmus.validate.training import out_of_bag_is_honest

    steps = ["impute", "encode", "smote"]
    pipeline = build(ModelSettings(name="m", estimator="random_forest", steps=steps), made.X, seed=1)
    assert not out_of_bag_is_honest(pipeline, made.patients)


def test_smote_inside_the_fold_gives_half_on_permuted_outcomes():
    """The honest control of L3: no signal, SMOTE inside, mean AUC within 3 standard errors of 0.5."""
    rng = np.random.default_rng(31)
    names = np.array([f"P{i:03d}" for i in range(60)])
    X = pd.DataFrame(rng.normal(size=(60, 40)), columns=[f"f{i}" for i in range(40)])
    outcome = Outcome("y", "binary", pd.Series((np.arange(60) % 4 == 0).astype(int), index=names))
    steps = ["impute", "encode", "scale", "smote", {"name": "univariate", "k": 5}]
    model = ModelSettings(name="m", estimator="logistic", settings={"C": 1.0}, steps=steps, threshold=0.5)
    found = []
    for permutation in range(16):
        null = Design(X, names, null_outcome(outcome, None, permutation, seed=3))
        found.append(np.mean([fold(null, model, which=which).auc for which in range(3)]))
    assert abs(np.mean(found) - 0.5) < 3 * np.std(found, ddof=1) / 4


def test_smote_before_the_split_is_what_the_engine_cannot_do():
    """The planted leak of the control above: rows invented from everybody, then split, show an AUC far above 0.5."""
    rng = np.random.default_rng(31)
    X = pd.DataFrame(rng.normal(size=(60, 40)), columns=[f"f{i}" for i in range(40)])
    events = (np.arange(60) % 4 == 0).astype(int)
    from validate.drawn import STEPS

    made, classes, owners = STEPS["smote"]().resample(X, events)
    leaking = Design(made, owners, Outcome("y", "binary", pd.Series(classes, index=owners.astype(str))))
    model = ModelSettings(name="m", estimator="random_forest", settings={"trees": 30}, threshold=0.5)
    assert np.mean([fold(leaking, model, which=which).auc for which in range(3)]) > 0.75
