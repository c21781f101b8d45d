"""The intraclass correlation: laws that hold for every form, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import PlanError, TableError
from isthmus.stats.agreement import FORMS, icc


@pytest.fixture
def table() -> np.ndarray:
    """30 subjects, 3 raters who differ in level, 40 features of growing noise."""
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(30, 1, 40))
    return truth + rng.normal(size=(30, 3, 40)) * np.linspace(0.05, 3, 40) + np.array([0.0, 0.5, 1.0])[None, :, None]


@pytest.mark.parametrize("form", FORMS)
def test_features_together_are_features_alone(form, table):
    """A feature's numbers do not depend on the others beside it."""
    whole, alone = icc(table, form), icc(table[:, :, 7], form)
    assert (whole.estimate[7], whole.lower[7], whole.upper[7]) == pytest.approx(
        (alone.estimate[0], alone.lower[0], alone.upper[0]), rel=1e-13
    )


@pytest.mark.parametrize("form", ["3,1", "3,k"])
def test_consistency_ignores_a_constant_per_rater(form, table):
    """Consistency forms do not change when a rater reads everything two units higher."""
    moved = icc(table + np.array([0.0, 2.0, -1.0])[None, :, None], form).estimate
    np.testing.assert_allclose(moved, icc(table, form).estimate, rtol=1e-10)


def test_agreement_minds_a_constant_per_rater(table):
    """Absolute agreement gets worse when raters drift apart."""
    apart = icc(table + np.array([0.0, 2.0, 4.0])[None, :, None], "2,1").estimate
    assert (apart < icc(table, "2,1").estimate)[:20].all()


@pytest.mark.parametrize("form", FORMS)
def test_unit_and_origin_do_not_matter(form, table):
    """Millimetres or centimetres, Kelvin or Celsius: the same ICC."""
    np.testing.assert_allclose(icc(1e3 * table + 7e3, form).estimate, icc(table, form).estimate, rtol=1e-8)


@pytest.mark.parametrize("form", FORMS)
def test_limits_enclose_the_estimate(form, table):
    """Lower limit, estimate, upper limit stand in this order."""
    found = icc(table, form)
    assert ((found.lower <= found.estimate) & (found.estimate <= found.upper)).all()


@pytest.mark.parametrize("form", FORMS)
def test_a_constant_feature_is_undefined(form, table):
    """Without variance there is no reliability: NaN, never 1."""
    table[:, :, 3] = 0.1
    assert np.flatnonzero(np.isnan(icc(table, form).estimate)).tolist() == [3]


@pytest.mark.parametrize("form", FORMS)
def test_measurements_that_repeat_exactly_have_one(form):
    """Every rater reads the same: 1, and limits of 1."""
    exact = np.repeat(np.arange(10.0)[:, None], 3, axis=1)
    found = icc(exact, form)
    assert [float(found.estimate[0]), float(found.lower[0]), float(found.upper[0])] == [1.0, 1.0, 1.0]


def test_the_mean_of_k_follows_spearman_and_brown(table):
    """ICC(3,k) is the Spearman-Brown prediction from ICC(3,1)."""
    single = icc(table, "3,1").estimate
    np.testing.assert_allclose(icc(table, "3,k").estimate, 3 * single / (1 + 2 * single), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "form"), [("ICC(2,1)", "2,1"), ("A,1", "2,1"), ("ICC(C,k)", "3,k"), ("ICC(1, 1)", "1,1")]
)
def test_other_names_of_a_form(name, form, table):
    """Names with ICC( ) around and those of McGraw and Wong."""
    assert icc(table, name).form == form


def test_an_unknown_form_is_refused(table):
    """A form nobody defined is an error, not a default."""
    with pytest.raises(PlanError, match="ICC form '4,1' is not known"):
        icc(table, "4,1")


@pytest.mark.parametrize("shape", [(1, 3, 2), (5, 1, 2), (5,)])
def test_too_little_to_compare_is_refused(shape):
    """One subject or one measurement has no reliability."""
    with pytest.raises(TableError, match="at least 2 subjects"):
        icc(np.ones(shape))


def test_a_missing_measurement_is_refused(table):
    """Nothing is imputed behind the reader's back."""
    table[0, 0, 0] = np.nan
    with pytest.raises(TableError, match="complete measurements"):
        icc(table)


def test_limits_cover_the_truth():
    """Of 1,000 features with a true ICC of 0.8 about 95 % of the intervals of ICC(3,1) hold it."""
    rng = np.random.default_rng(8)
    table = rng.normal(size=(25, 1, 1000)) + 0.5 * rng.normal(size=(25, 3, 1000))
    found = icc(table, "3,1")
    assert 0.93 < ((found.lower <= 0.8) & (found.upper >= 0.8)).mean() < 0.97
