"""The Firth estimator."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.models.firth import Firth
from isthmus.stats.firth import firth_regression
from validate.drawn import design


@pytest.fixture(scope="module")
def separated(shared_data):
    table = pd.read_csv(shared_data / "statistics_r" / "separation.csv")
    return table[["meta", "x"]], table["y"]


def test_coefficients_are_those_of_the_regression_table(separated):
    """With Firth's own intercept the estimator is logistf's model (which the table of statistics equals)."""
    model = Firth(intercept="firth").fit(*separated)
    table = firth_regression(*separated)
    np.testing.assert_allclose([model.intercept_, *model.coef_], table["coefficient"], rtol=0, atol=1e-9)


def test_flic_keeps_the_slopes_and_gives_back_the_prevalence(separated):
    """FLIC: the mean risk of the training rows is their prevalence, the slopes are Firth's."""
    flic, plain = Firth().fit(*separated), Firth(intercept="firth").fit(*separated)
    assert np.array_equal(flic.coef_, plain.coef_)
    assert flic.predict_proba(separated[0])[:, 1].mean() == pytest.approx(separated[1].mean(), abs=1e-12)


def test_flic_is_the_maximum_of_the_likelihood_with_the_slopes_held(separated):
    """statsmodels' logistic model of a constant, with Firth's linear predictor as offset, has FLIC's intercept."""
    import statsmodels.api as sm

    flic = Firth().fit(*separated)
    offset = separated[0].to_numpy() @ flic.coef_
    family = sm.families.Binomial()
    fit = sm.GLM(separated[1], np.ones(len(offset)), family=family, offset=offset).fit(tol=1e-14)
    assert flic.intercept_ == pytest.approx(fit.params.iloc[0], abs=1e-8)


def test_perfect_separation_gives_finite_coefficients():
    """A column that is the outcome has a large, finite coefficient."""
    events = np.arange(30) % 2
    model = Firth().fit(events[:, None].astype(float), events)
    assert 3 < model.coef_[0] < 15


def test_a_constant_column_plays_no_part():
    """Weight 0, and the other coefficients are those without it."""
    made = design(np.random.default_rng(1), n=40, p=3)
    y = made.events(np.ones(40, dtype=bool))
    with_it = Firth().fit(made.X.assign(same=7.0), y)
    np.testing.assert_allclose(with_it.coef_, [*Firth().fit(made.X, y).coef_, 0.0], atol=1e-12)


def test_more_columns_than_rows_are_refused():
    """n < p is an error that says what to do."""
    with pytest.raises(TableError, match=r"30 columns and 20 rows.*Use the estimator 'lasso'"):
        Firth().fit(np.random.default_rng(0).normal(size=(20, 30)), np.arange(20) % 2)


def test_an_unknown_intercept_is_refused():
    """The two intercepts are named."""
    with pytest.raises(PlanError, match="expected 'flic' or 'firth'"):
        Firth(intercept="flac").check_settings()
