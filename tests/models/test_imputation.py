"""Filling gaps with what the training rows say."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.models.imputation import Impute

TRAIN = pd.DataFrame({"age": [40.0, np.nan, 60.0, 80.0], "sex": ["f", "m", None, "f"], "empty": [np.nan] * 4})


def test_numbers_get_the_training_median():
    """A gap in a number becomes the median of the training values."""
    assert Impute().fit(TRAIN).transform(TRAIN)["age"].tolist() == [40.0, 60.0, 60.0, 80.0]


def test_text_gets_the_most_frequent_value():
    """A gap in a text column becomes its most frequent training value."""
    assert Impute().fit(TRAIN).transform(TRAIN)["sex"].tolist() == ["f", "m", "f", "f"]


def test_new_rows_get_the_training_values():
    """The fill is that of the training rows, whatever the new rows hold."""
    new = pd.DataFrame({"age": [np.nan, 1.0], "sex": [None, "m"], "empty": [3.0, 4.0]})
    assert Impute().fit(TRAIN).transform(new).iloc[0].tolist() == [60.0, "f"]


def test_a_column_without_values_is_dropped_with_the_reason():
    """An entirely missing training column goes, and says why."""
    assert Impute().fit(TRAIN).dropped_ == {"empty": "no value in any training row"}


def test_ties_in_text_take_the_first_in_the_alphabet():
    """Equally frequent values: the alphabet decides, not the order of rows."""
    step = Impute().fit(pd.DataFrame({"t": ["b", "a", "b", "a"]}))
    assert step.fill_ == {"t": "a"}


def test_booleans_with_gaps_become_numbers():
    """A nullable boolean column is filled as a number."""
    frame = pd.DataFrame({"b": pd.array([True, None, True], dtype="boolean")})
    assert Impute().fit(frame).transform(frame)["b"].tolist() == [1.0, 1.0, 1.0]


def test_other_columns_than_in_training_are_refused():
    """A missing and an unknown column are named."""
    with pytest.raises(TableError, match="missing sex, not known size"):
        Impute().fit(TRAIN).transform(TRAIN.rename(columns={"sex": "size"}))


def test_a_table_without_any_value_is_refused():
    """If no column has a value in training nothing is left to learn from, and the step says so."""
    with pytest.raises(TableError, match="'impute' would drop all 2 columns"):
        Impute().fit(pd.DataFrame({"a": [np.nan] * 3, "b": [np.nan] * 3}))


def _related(n: int = 200) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four columns of one cause, and the same with a quarter of the cells missing."""
    rng = np.random.default_rng(8)
    cause = rng.normal(size=n)
    whole = pd.DataFrame({name: cause + 0.3 * rng.normal(size=n) for name in "abcd"})
    return whole, whole.mask(rng.random(whole.shape) < 0.25)


def test_iterative_is_nearer_the_truth_than_the_median():
    """Where columns tell of one another, the chain recovers what the median cannot."""
    whole, gaps = _related()
    missing = gaps.isna().to_numpy()
    errors = [
        float(((Impute(method=m).fit_transform(gaps) - whole).to_numpy()[missing] ** 2).mean())
        for m in ("iterative", "median")
    ]
    assert errors[0] < 0.4 * errors[1]


def test_iterative_is_close_to_scikit_learn():
    """The chain's values correlate with those of scikit-learn's IterativeImputer (Bayesian ridge) on the same table."""
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    _, gaps = _related()
    missing = gaps.isna().to_numpy()
    ours = Impute(method="iterative").fit_transform(gaps).to_numpy()[missing]
    theirs = IterativeImputer(random_state=0, max_iter=100).fit_transform(gaps)[missing]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99


def test_iterative_fills_a_gap_that_training_never_had():
    """A new patient may lack a column that every training patient has."""
    whole, _ = _related()
    new = whole.iloc[[3]].assign(b=np.nan)
    filled = Impute(method="iterative").fit(whole).transform(new)["b"].iloc[0]
    assert filled == pytest.approx(whole["b"].iloc[3], abs=1.0)


def test_iterative_stays_in_the_training_range():
    """No filled value lies outside what was seen."""
    _, gaps = _related()
    step = Impute(method="iterative").fit(gaps)
    far = step.transform(pd.DataFrame({"a": [99.0], "b": [99.0], "c": [np.nan], "d": [99.0]}))
    assert far["c"].iloc[0] == gaps["c"].max()


def test_indicators_say_where_the_gaps_were():
    """A column with gaps in training gets a 0/1 column, a complete one does not."""
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [1.0, 2.0, 3.0], "c": ["x", None, "y"]})
    out = Impute(indicators=True).fit_transform(frame)
    assert out[["a_missing", "c_missing"]].to_numpy().tolist() == [[0, 0], [1, 1], [0, 0]]
    assert "b_missing" not in out


@pytest.mark.parametrize("settings", [{}, {"method": "iterative", "indicators": True}])
def test_gaps_survive_the_model_file(settings):
    """State through JSON and back fills the same gaps with the same bits."""
    _, gaps = _related()
    step = Impute(**settings).fit(gaps)
    again = Impute.from_state(json.loads(json.dumps(step.to_state())))
    pd.testing.assert_frame_equal(again.transform(gaps), step.transform(gaps), check_exact=True)


def test_a_row_alone_is_filled_as_in_a_batch():
    """The chain treats each row on its own, to the last bit."""
    _, gaps = _related()
    step = Impute(method="iterative").fit(gaps)
    alone = pd.concat([step.transform(gaps.iloc[[row]]) for row in range(20)])
    pd.testing.assert_frame_equal(alone, step.transform(gaps).iloc[:20], check_exact=True)


def test_an_unknown_method_is_refused():
    """Filling from neighbours would put patients into the model file."""
    with pytest.raises(PlanError, match="method = 'knn'; expected one of median, iterative"):
        Impute(method="knn").check_settings()
