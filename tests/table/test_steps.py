"""The contract of steps: order, kinds, folds."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from isthmus import models
from isthmus.errors import IsthmusWarning, LeakageError, PlanError, TableError
from isthmus.table.steps import Step, check_order, context_strata, deal_folds, decode_state, encode_state, step_labels
from validate.drawn import STEPS, made


class Undeclared(Step):
    """A step that does not say what it learns from."""

    name = "undeclared"

    def _fit(self, frame, outcome, groups):
        pass

    def _transform(self, frame):
        return frame


class Peeking(Step):
    """Says it learns without the outcome, and keeps what it is given."""

    name = "peeking"
    kind = "unsupervised"

    def _fit(self, frame, outcome, groups):
        self.seen_ = outcome

    def _transform(self, frame):
        return frame


def test_a_step_without_a_kind_is_refused():
    """A step that declares no kind is a leak until proven otherwise."""
    with pytest.raises(LeakageError, match="declares kind = None"):
        check_order([Undeclared()])


@pytest.mark.parametrize("name", sorted(name for name in STEPS if STEPS[name].kind != "row-wise"))
def test_nothing_that_learns_runs_before_the_split(name):
    """L1, L2: every fitted step is refused outside the training part of a fold."""
    with pytest.raises(LeakageError, match="training part of a fold"):
        check_order([made(name)], where="before the split")


def test_a_row_wise_step_may_run_before_the_split():
    """Row-wise steps are allowed anywhere."""

    class Log(Peeking):
        name = "log"
        kind = "row-wise"

    check_order([Log()], where="before the split")


def test_an_unsupervised_step_never_receives_the_outcome():
    """A step that did not declare itself supervised is not handed y, even when fit gets it."""
    step = Peeking().fit(pd.DataFrame({"a": [1.0, 2.0]}), [0, 1])
    assert step.seen_ is None


def test_a_supervised_step_needs_the_outcome():
    """A supervised step without y is an error, not a silent pass."""
    with pytest.raises(TableError, match="learns with the outcome"):
        STEPS["univariate"]().fit(pd.DataFrame({"a": [1.0, 2.0]}))


@pytest.mark.parametrize(
    ("names", "text", "message"),
    [
        (["correlation"], [], "'correlation' needs complete columns. Put the step 'impute' before it"),
        (["impute", "scale"], ["sex"], "'scale' needs numeric columns. Put the step 'encode' before it"),
        (["impute", "impute"], [], "'impute' occurs twice"),
    ],
)
def test_steps_in_an_order_that_cannot_work(names, text, message):
    """A step that lacks what it needs is refused, with the step to add."""
    with pytest.raises(PlanError, match=message):
        check_order([STEPS[name]() for name in names], text_columns=text)


def test_scaling_must_come_before_an_estimator_that_needs_it():
    """Ridge regression without the step 'scale' is refused."""

    class Ridge:
        name = "ridge"
        requires = frozenset({"scaled"})

    with pytest.raises(PlanError, match="'ridge' needs scaled columns"):
        check_order([STEPS["impute"]()], estimator=Ridge())


def test_steps_of_one_name_on_other_blocks_have_names_of_their_own():
    """Each set of blocks may have its own step; a step that stands alone keeps its name."""
    steps = [STEPS["impute"](), STEPS["pca"]().on_blocks(["deep"]), STEPS["pca"]().on_blocks(["ct", "mr"])]
    check_order(steps)
    assert step_labels(steps) == ["impute", "pca deep", "pca ct+mr"]


@pytest.mark.parametrize(
    ("first", "message"),
    [(["ct", "mr"], None), (["ct"], r"'lasso' needs complete columns \(of mr\)")],
)
def test_what_a_step_provides_holds_for_its_blocks(first, message):
    """Two blocks imputed one by one are a complete table; one of two is not."""
    steps = [STEPS["impute"]().on_blocks([block]) for block in first]
    check = partial(check_order, [*steps, STEPS["lasso"]()], blocks=["ct", "mr"])
    if message is None:
        check()
        return
    with pytest.raises(PlanError, match=message):
        check()


def test_text_in_one_block_is_encoded_there():
    """Categories of [clinical] do not keep a step of another block from working."""
    steps = [STEPS["impute"](), STEPS["pca"]().on_blocks(["ct"])]
    check_order(steps, text_columns=["clinical.sex"], blocks=["ct", "clinical"])


def test_a_step_on_blocks_that_are_gone_says_so():
    """Nothing is learned of no columns in silence."""
    with pytest.raises(TableError, match="none of the 1 columns is of the blocks deep"):
        STEPS["pca"]().on_blocks(["deep"]).fit(pd.DataFrame({"ct.a": [1.0, 2.0]}))


def test_a_step_that_makes_columns_of_context_takes_no_blocks():
    """The crops of a block are named by `block`."""
    with pytest.raises(PlanError, match="takes no blocks"):
        STEPS["network"](block="deep").on_blocks(["deep"])


def test_rows_of_a_patient_share_a_fold():
    """L4: with several rows per patient no patient is in two folds."""
    patients = np.repeat([f"P{i}" for i in range(30)], 3)
    folds = deal_folds(patients, np.repeat(np.arange(30) % 2, 3), folds=5, seed=1)
    assert pd.Series(folds).groupby(patients).nunique().max() == 1


def test_folds_are_stratified():
    """Each fold has its share of events, give or take one patient."""
    outcome = np.r_[np.ones(23), np.zeros(50)].astype(int)
    folds = deal_folds(np.arange(73), outcome, folds=5, seed=2)
    events = [outcome[folds == fold].sum() for fold in range(5)]
    assert max(events) - min(events) <= 1


def test_folds_do_not_depend_on_the_order_of_rows():
    """Shuffling the table leaves every patient in his fold."""
    rng = np.random.default_rng(0)
    patients = np.array([f"P{i}" for i in range(40)])
    outcome = (np.arange(40) % 4 == 0).astype(int)
    order = rng.permutation(40)
    straight = deal_folds(patients, outcome, folds=4, seed=9)
    shuffled = deal_folds(patients[order], outcome[order], folds=4, seed=9)
    assert (straight[order] == shuffled).all()


def test_too_few_patients_of_a_class_says_how_many_folds_are_possible():
    """Three events cannot fill five folds; the message offers three."""
    with pytest.raises(TableError, match=r"rarest class has 3 patient\(s\): at most 3 folds"):
        deal_folds(np.arange(20), (np.arange(20) < 3).astype(int), folds=5, seed=1, reduce=False)


def test_inner_folds_are_reduced_with_a_warning():
    """Inside the training rows fewer folds are used, and it is said."""
    with pytest.warns(IsthmusWarning, match="3 inner folds are used instead of 5"):
        folds = deal_folds(np.arange(20), (np.arange(20) < 3).astype(int), folds=5, seed=1)
    assert len(set(folds)) == 3


def test_a_patient_with_two_outcomes_is_an_error():
    """The outcome belongs to the patient."""
    with pytest.raises(TableError, match="different outcomes"):
        deal_folds(["A", "A", "B", "B"], [0, 1, 0, 0], folds=2, seed=1)


def test_state_survives_json_to_the_last_bit():
    """Arrays, dicts and floats come back equal after JSON."""
    import json

    value = {"a": np.array([[0.1, 1 / 3], [np.pi, 5e-324]]), "b": {"x": [1, "two", None]}}
    back = decode_state(json.loads(json.dumps(encode_state(value))))
    assert (back["a"] == value["a"]).all()
    assert back["b"] == value["b"]


class Centred(Step):
    """Reads the centre of each row and takes the mean of the centre away."""

    name = "centred"
    kind = "unsupervised"
    learned = ("means_",)
    context = ("@centre",)

    def _fit(self, frame, outcome, groups):
        self.means_ = {centre: float(rows["a"].mean()) for centre, rows in frame.groupby(self.read_["@centre"])}

    def _transform(self, frame):
        return frame.assign(a=frame["a"] - self.read_["@centre"].map(self.means_))


class Counting(Peeking):
    """Keeps the names of the columns it is given."""

    name = "counting"

    def _fit(self, frame, outcome, groups):
        self.seen_ = list(frame.columns)


def with_centres() -> pd.DataFrame:
    return pd.DataFrame({"a": [1.0, 3.0, 5.0, 9.0], "b": [0.0, 1.0, 1.0, 0.0], "@centre": ["x", "x", "y", "y"]})


def test_a_step_reads_the_context_it_names():
    """The centre reaches the step that declares it."""
    assert Centred().fit(with_centres()).means_ == {"x": 2.0, "y": 7.0}


def test_context_travels_past_a_step():
    """What a later step may need is still there, unchanged, behind the predictors."""
    frame = with_centres()
    out = Centred().fit_transform(frame)
    pd.testing.assert_frame_equal(out, frame.assign(a=[-1.0, 1.0, -2.0, 2.0]))


def test_other_steps_never_see_context():
    """A step that declares nothing is given the predictors alone."""
    assert Counting().fit(with_centres()).seen_ == ["a", "b"]


def test_context_is_no_feature_of_a_step():
    """Neither the columns learned from nor the names that come out hold it."""
    step = Centred().fit(with_centres())
    assert (list(step.feature_names_in_), list(step.get_feature_names_out())) == (["a", "b"], ["a", "b"])


def test_context_that_is_not_there_is_an_error():
    """Half a table must not be taken for one centre."""
    with pytest.raises(TableError, match="reads @centre, and the rows do not say it"):
        Centred().fit(with_centres().drop(columns="@centre"))


def test_estimators_never_see_context():
    """A model of rows with context is, to the last bit, the model of the predictors alone."""
    frame = pd.concat([with_centres()] * 5, ignore_index=True)
    events = np.tile([0, 1, 1, 0], 5)
    pipeline = models.build(
        models.ModelSettings(name="m", estimator="logistic", steps=["impute", "scale"]), frame, seed=1, steps=STEPS
    )
    bare = clone(pipeline).fit(frame[["a", "b"]], events).predict_proba(frame[["a", "b"]])
    assert np.array_equal(clone(pipeline).fit(frame, events).predict_proba(frame), bare)


def test_context_that_is_no_text_is_no_stratum():
    """Objects that travel with the rows do not decide how folds are dealt; text beside them does."""
    objects = pd.Series([(1, 2), None, (3,)], dtype=object)
    alone = pd.DataFrame({"a": [1.0, 2.0, 3.0], "@things": objects})
    assert context_strata(alone) is None
    assert context_strata(alone.assign(**{"@centre": ["x", "y", "x"]})).tolist() == ["x", "y", "x"]
