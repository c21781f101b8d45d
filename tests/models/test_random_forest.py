"""The forest as arrays equals the forest of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from isthmus import models
from isthmus.errors import ModelFileError
from isthmus.models.random_forest import RandomForest
from validate.drawn import design


@pytest.fixture(scope="module")
def data():
    made = design(np.random.default_rng(3), n=70, p=6)
    return made.X.to_numpy(), made.events(np.ones(70, dtype=bool))


@pytest.fixture(scope="module")
def both(data):
    theirs = RandomForestClassifier(50, min_samples_leaf=2, random_state=5, oob_score=True, n_jobs=1).fit(*data)
    return RandomForest(trees=50, random_state=5).fit(*data), theirs


def test_probabilities_are_those_of_scikit_learn(both):
    """New rows get scikit-learn's probability, to rounding."""
    ours, theirs = both
    new = np.random.default_rng(4).normal(size=(200, 6))
    np.testing.assert_allclose(ours.predict_proba(new), theirs.predict_proba(new), rtol=0, atol=1e-15)


@pytest.mark.parametrize("power", [-40, 30])
def test_the_unit_of_a_column_changes_nothing(both, data, power):
    """A column in other units (1e-12, 1e9) gives the same risks to the last bit; scikit-learn alone would ignore the small one."""
    X, y = data
    unit = np.ones(6)
    unit[0] = 2.0**power
    scaled = RandomForest(trees=50, random_state=5).fit(X * unit, y)
    np.testing.assert_array_equal(scaled.predict_proba(X * unit), both[0].predict_proba(X))


def test_out_of_bag_risks_are_those_of_scikit_learn(both):
    """The out-of-bag probability of each training row is scikit-learn's, to rounding."""
    ours, theirs = both
    np.testing.assert_allclose(ours.out_of_bag_risk(), theirs.oob_decision_function_[:, 1], rtol=0, atol=1e-14)


def test_importance_is_largest_where_the_signal_is(both):
    """The two columns with signal lead."""
    assert set(np.argsort(-both[0].contributions())[:2]) == {0, 1}


def test_trees_that_run_in_circles_are_refused(both):
    """A forged file whose tree leads back to its root is refused instead of looping for ever."""
    import io

    files = both[0].to_files()
    with np.load(io.BytesIO(files["forest.npz"])) as stored:
        arrays = {key: stored[key].copy() for key in stored.files}
    arrays["left"][arrays["feature"] >= 0] = 0
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    with pytest.raises(ModelFileError, match="do not fit together"):
        models.ESTIMATORS["random_forest"].from_files({}, {"forest.npz": buffer.getvalue()})
