"""One suite over both registries: what every step and every estimator must do."""

from __future__ import annotations

import copy
import importlib
import json
import pickle
import pkgutil
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import check_estimator

from isthmus import deep, habitat, harmonise, models, select
from isthmus.deep import CROPS
from isthmus.habitat import SUPERVOXELS
from isthmus.models.estimator import Estimator
from isthmus.table.steps import Selector, Step, without_context
from isthmus.table.target import time_to_event
from validate.drawn import QUICK, STEPS, drawn_crops, made, supervoxel_tables

ALL_STEPS = sorted(STEPS)
ALL_ESTIMATORS = sorted(models.estimators_of("binary"))
UNTRAINED = {"weights": {"origin": "random"}}
STEP_SETTINGS = {
    "network": {"encoder": {"network": "resnet10_narrow", **UNTRAINED}, "train": {"epochs": 1, "batch": 32}},
    "autoencoder": {"encoder": {"network": "autoencoder_128", **UNTRAINED}, "train": {"epochs": 1, "batch": 32}},
    "joint_network": {
        "encoder": {"network": "resnet10_narrow", **UNTRAINED},
        "train": {"epochs": 1, "batch": 32},
        "folds": 2,
    },
    "habitat": {"clusters": 2, "starts": 2},
    "univariate": {"k": 3},
    "univariate_cox": {"k": 3},
    "mutual_information": {"k": 3},
    "mrmr": {"k": 3},
    "l21": {"k": 3},
    "rfe": {"k": 3},
    "boruta": {"rounds": 4, "trees": 10},
    "stability": {"base": {"name": "univariate", "k": 2}, "samples": 5},
    "representatives": {"categories": {"first": ["a", "b", "c"], "second": ["d", "e"]}},
}


@pytest.fixture
def table(request: pytest.FixtureRequest) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers, an outcome, and the context that the step under test reads."""
    rng = np.random.default_rng(12)
    events = np.arange(40) % 2
    X = pd.DataFrame(rng.normal(size=(40, 6)), columns=list("abcdef"))
    X["a"] += events
    X["f"] = X["e"] + 0.01 * rng.normal(size=40)
    name = request.node.callspec.params.get("name", "")
    for column in step_of(name).context if name in STEPS else ():
        if column == SUPERVOXELS:
            X[column] = pd.Series(supervoxel_tables(40), dtype=object)
        elif column == CROPS:
            X[column] = pd.Series(drawn_crops(40), dtype=object)
        else:
            text = np.where(np.arange(40) % 3, "here", "there")
            X[column] = rng.lognormal(size=40) if column.endswith("_ml") else text
    learns = STEPS[name].tasks if name in STEPS else {"binary"}
    y = events if "binary" in learns else time_to_event(events, rng.exponential(size=40))
    return X.set_axis([f"row{i}" for i in range(40)]), y


def step_of(name: str) -> Step:
    return made(name, **STEP_SETTINGS.get(name, {}))


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_declares_kind_and_name(name):
    """The registry's key is the step's name, and its kind is one of the three."""
    assert (STEPS[name].name, STEPS[name].kind in ("row-wise", "unsupervised", "supervised")) == (name, True)


@pytest.mark.parametrize("room", [deep, habitat, models, harmonise, select])
def test_every_step_and_estimator_of_the_room_is_in_its_registry(room):
    """A class in a module of the folder that no plan could name would be dead code."""
    registered = {*room.STEPS.values(), *getattr(room, "ESTIMATORS", {}).values()}
    found = set()
    for module in pkgutil.iter_modules(room.__path__):
        for value in vars(importlib.import_module(f"{room.__name__}.{module.name}")).values():
            if (
                isinstance(value, type)
                and issubclass(value, Step | Estimator)
                and value.__module__.startswith(room.__name__)
                and not value.__name__.startswith("_")
            ):
                found.add(value)
    assert {value for value in found if hasattr(value, "name")} == registered  # without a name: what several share


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_can_be_cloned(name):
    """A clone has the same settings and is not fitted."""
    step = step_of(name)
    assert clone(step).get_params() == step.get_params()


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_only_stores_in_the_constructor(name):
    """The constructor changes nothing: every parameter is the attribute of its name."""
    step = step_of(name)
    assert {key: getattr(step, key) for key in step.get_params()} == step.get_params()


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_keeps_rows_and_index(name, table):
    """Rows go through unchanged in number, order and index, as a DataFrame."""
    X, y = table
    out = step_of(name).fit(X, y).transform(X)
    assert isinstance(out, pd.DataFrame)
    assert out.index.equals(X.index)


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_names_its_columns(name, table):
    """get_feature_names_out are the columns of the output."""
    X, y = table
    step = step_of(name).fit(X, y)
    assert step.get_feature_names_out().tolist() == without_context(step.transform(X)).columns.tolist()


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_accounts_for_every_column(name, table):
    """A column that does not come out is in dropped_ with a reason."""
    X, y = table
    step = step_of(name).fit(X, y)
    gone = set(without_context(X).columns) - set(step.get_feature_names_out())
    assert gone == set(step.dropped_)
    assert all(step.dropped_.values())


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_does_not_change_its_input(name, table):
    """fit and transform leave the table they were given as it was."""
    X, y = table
    before = X.copy(deep=True)
    step_of(name).fit(X, y).transform(X)
    pd.testing.assert_frame_equal(X, before)


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_treats_each_row_on_its_own(name, table):
    """Transforming one row gives that row of the batch, to the last bit: no step learns while it transforms."""
    X, y = table
    step = step_of(name).fit(X, y)
    whole = step.transform(X)
    alone = pd.concat([step.transform(X.iloc[[row]]) for row in range(5)])
    pd.testing.assert_frame_equal(alone, whole.iloc[:5], check_exact=True)


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_forgets_when_fitted_again(name, table):
    """A second fit on other rows equals a fresh fit on them."""
    X, y = table
    again = step_of(name).fit(X, y).fit(X.iloc[:30], y[:30])
    fresh = step_of(name).fit(X.iloc[:30], y[:30])
    assert again.to_state() == fresh.to_state()


@pytest.mark.parametrize("name", ALL_STEPS)
def test_unsupervised_steps_do_not_depend_on_the_outcome(name, table):
    """With another outcome a step that is not supervised learns the same."""
    X, y = table
    if STEPS[name].kind == "supervised":
        other = (X["d"] > 0).to_numpy().astype(int)
        if "binary" not in STEPS[name].tasks:
            other = time_to_event(np.ones(40), np.exp(-X["d"]))
        assert step_of(name).fit(X, y).to_state() != step_of(name).fit(X, other).to_state()
    else:
        assert step_of(name).fit(X, y).to_state() == step_of(name).fit(X, 1 - y[::-1]).to_state()


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_survives_its_state(name, table):
    """State through JSON and back: the same output bits and the same state."""
    X, y = table
    step = step_of(name).fit(X, y)
    again = STEPS[name].from_state(json.loads(json.dumps(step.to_state(), allow_nan=False)))
    pd.testing.assert_frame_equal(again.transform(X), step.transform(X), check_exact=True)
    assert again.to_state() == step.to_state()


@pytest.mark.parametrize("name", [name for name in ALL_STEPS if STEPS[name].sees_columns and name != "reliability"])
def test_step_keeps_to_its_blocks(name, table):
    """Of the columns of its block it makes what it makes of them alone, the others pass as they are; so does a copy from a file."""
    X, y = table
    own = [column for column in X.columns if not column.startswith("@")]
    written = re.sub(r'"([a-f])"', r'"one.\1"', json.dumps(STEP_SETTINGS.get(name, {})))  # columns that settings name
    settings = json.loads(written)
    named = X.rename(columns={column: f"one.{column}" for column in own})
    beside = named.assign(**{"two.a": X["a"] * 2, "two.b": np.nan, "two.c": "text"})
    alone = made(name, **settings).fit_transform(named, y)
    step = clone(made(name, **settings).on_blocks(["one"])).fit(beside, y)
    step = STEPS[name].from_state(json.loads(json.dumps(step.to_state())))
    out = step.transform(beside)
    pd.testing.assert_frame_equal(out[["two.a", "two.b", "two.c"]], beside[["two.a", "two.b", "two.c"]])
    mine = without_context(out).drop(columns=["two.a", "two.b", "two.c"])
    expected = without_context(alone)
    expected.columns = [column if column.startswith("one.") else f"one.{column}" for column in expected.columns]
    pd.testing.assert_frame_equal(mine[expected.columns], expected, check_exact=True)
    assert step.get_feature_names_out().tolist() == without_context(out).columns.tolist()


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_survives_pickling_between_workers(name, table):
    """A fitted step sent to another process is the same step."""
    X, y = table
    step = step_of(name).fit(X, y)
    assert pickle.loads(pickle.dumps(step)).to_state() == step.to_state()


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_must_be_fitted_first(name, table):
    """Before fit there is nothing to apply."""
    with pytest.raises(NotFittedError):
        step_of(name).transform(table[0])


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_refuses_columns_in_another_order(name, table):
    """Values must not slip under another name."""
    X, y = table
    with pytest.raises(ValueError, match="in another order"):
        step_of(name).fit(X, y).transform(X[X.columns[::-1]])


@pytest.mark.parametrize("name", ALL_STEPS)
def test_step_refuses_an_array(name, table):
    """Columns need names: an array is a TypeError that says so."""
    with pytest.raises(TypeError, match="pandas DataFrame with named columns"):
        step_of(name).fit(table[0].to_numpy(), table[1])


@pytest.mark.parametrize("name", [name for name in ALL_STEPS if issubclass(STEPS[name], Selector)])
def test_selector_leaves_values_alone(name, table):
    """A selector keeps columns as they are."""
    X, y = table
    out = step_of(name).fit_transform(X, y)
    pd.testing.assert_frame_equal(out, X[out.columns])


@pytest.mark.parametrize("name", ALL_ESTIMATORS)
def test_estimator_passes_the_checks_of_scikit_learn(name):
    """scikit-learn's own suite for classifiers."""
    estimator = models.ESTIMATORS[name](**QUICK.get(name, {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = [f"{r['check_name']}: {r['exception']}" for r in results if r["status"] == "failed"]
    assert failed == []


@pytest.mark.parametrize("name", ALL_ESTIMATORS)
def test_estimator_says_what_each_column_contributes(name, table):
    """One finite number a column."""
    X, y = table
    model = models.ESTIMATORS[name](**QUICK.get(name, {})).fit(X, y)
    assert model.contributions().shape == (6,)
    assert np.isfinite(model.contributions()).all()


@pytest.mark.parametrize("name", ALL_ESTIMATORS)
def test_estimator_can_be_deep_copied(name, table):
    """A copy predicts the same bits."""
    X, y = table
    model = models.ESTIMATORS[name](**QUICK.get(name, {})).fit(X, y)
    assert np.array_equal(copy.deepcopy(model).predict_proba(X), model.predict_proba(X))
