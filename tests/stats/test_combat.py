"""ComBat: what must hold whatever the data, and what it refuses. Its numbers: reference/test_combat.py."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.combat import adopt_site, apply_combat, fit_combat
from isthmus.stats.site_effect import site_effect


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """120 patients of three sites, 30 features: each site shifts and stretches every feature; a covariate that counts."""
    rng = np.random.default_rng(7)
    sites = np.repeat(["a", "b", "c"], [60, 40, 20])
    covariate = rng.normal(size=(120, 1))
    shift, stretch = rng.normal(size=(3, 30)), rng.uniform(0.7, 1.5, size=(3, 30))
    codes = np.searchsorted(["a", "b", "c"], sites)
    values = 5 + covariate * rng.normal(size=30) + shift[codes] + stretch[codes] * rng.normal(size=(120, 30))
    return values, sites, covariate


SETTINGS = [{}, {"prior": "nonparametric"}, {"prior": "none"}, {"mean_only": True}, {"reference": "b"}]


@pytest.mark.parametrize("settings", SETTINGS)
def test_one_row_alone_is_that_row_in_a_batch(settings, drawn):
    """A patient who comes alone gets, to the last bit, the values he gets among others."""
    values, sites, covariate = drawn
    fitted = fit_combat(values, sites, covariate, **settings)
    codes = np.searchsorted(fitted.sites, sites)
    whole = apply_combat(fitted, values, codes, covariate)
    alone = np.vstack([apply_combat(fitted, values[[i]], codes[[i]], covariate[[i]]) for i in range(0, 120, 7)])
    assert np.array_equal(alone, whole[::7])


@pytest.mark.parametrize("settings", SETTINGS)
def test_order_of_patients_does_not_matter(settings, drawn):
    """Shuffled rows give the same fit, up to rounding."""
    values, sites, covariate = drawn
    order = np.random.default_rng(1).permutation(120)
    one = fit_combat(values, sites, covariate, **settings)
    other = fit_combat(values[order], sites[order], covariate[order], **settings)
    np.testing.assert_allclose(other.gamma, one.gamma, atol=1e-10)


def test_the_site_is_gone_from_rows_it_never_saw(drawn):
    """Fitted on two thirds, applied to the rest: the effect of the site shrinks where nothing made it shrink."""
    values, sites, covariate = drawn
    held = np.arange(120) % 3 == 0
    fitted = fit_combat(values[~held], sites[~held], covariate[~held])
    out = apply_combat(fitted, values[held], np.searchsorted(fitted.sites, sites[held]), covariate[held])
    before, after = site_effect(values[held], sites[held]).cohens_f, site_effect(out, sites[held]).cohens_f
    assert np.median(after) < 0.5 * np.median(before)


def test_the_covariate_stays(drawn):
    """What differs by right is not taken away: slopes on the covariate are those of the raw values."""
    values, sites, covariate = drawn
    fitted = fit_combat(values, sites, covariate, mean_only=True, prior="none")
    out = apply_combat(fitted, values, np.searchsorted(fitted.sites, sites), covariate)
    design = np.column_stack([np.ones(120), covariate])
    slope = np.linalg.lstsq(design, out, rcond=None)[0][1]
    np.testing.assert_allclose(slope, fitted.slopes[0], atol=1e-8)


def test_the_reference_is_left_as_it_is(drawn):
    """Rows of the reference site come out with the bits they had."""
    values, sites, covariate = drawn
    fitted = fit_combat(values, sites, covariate, reference="b")
    out = apply_combat(fitted, values, np.searchsorted(fitted.sites, sites), covariate)
    assert np.array_equal(out[sites == "b"], values[sites == "b"])


def test_a_row_of_no_site_is_left_as_it_is(drawn):
    """Code -1 passes a row through."""
    values, sites, covariate = drawn
    fitted = fit_combat(values, sites, covariate)
    assert np.array_equal(apply_combat(fitted, values[:2], np.array([-1, -1]), covariate[:2]), values[:2])


def test_a_small_site_has_its_location_adjusted_only(drawn):
    """Two patients say nothing of a spread."""
    values, sites, covariate = drawn
    sites = np.where(np.arange(120) < 2, "z", sites)
    fitted = fit_combat(values, sites, covariate, smallest_with_scale=3)
    assert (fitted.delta[fitted.sites.index("z")] == 1).all()


def test_an_adopted_site_is_brought_in(drawn):
    """A site never seen, estimated from its own rows: its shift is gone afterwards."""
    values, sites, covariate = drawn
    known = sites != "c"
    fitted = adopt_site(
        fit_combat(values[known], sites[known], covariate[known]), "c", values[~known], covariate[~known]
    )
    out = apply_combat(fitted, values, np.searchsorted(["a", "b", "c"], sites), covariate)
    before, after = site_effect(values, sites).cohens_f, site_effect(out, sites).cohens_f
    assert np.median(after) < 0.5 * np.median(before)


def test_a_covariate_that_is_the_site_is_refused(drawn):
    """Site and covariate that cannot be told apart would be answered at random."""
    values, sites, _ = drawn
    with pytest.raises(TableError, match="in other words"):
        fit_combat(values, sites, (sites == "a").astype(float)[:, None])


def test_one_site_is_refused(drawn):
    """There is nothing to harmonise."""
    with pytest.raises(TableError, match="two sites or more"):
        fit_combat(drawn[0], np.repeat("a", 120))


def test_an_unknown_reference_is_refused(drawn):
    """The reference must be one of the sites."""
    with pytest.raises(TableError, match="reference 'x' is not among"):
        fit_combat(drawn[0], drawn[1], reference="x")


def test_a_feature_without_residual_is_refused(drawn):
    """A feature that is the site's number cannot be standardised."""
    values, sites, _ = drawn
    values[:, 0] = np.searchsorted(["a", "b", "c"], sites)
    with pytest.raises(TableError, match="do not vary within a site"):
        fit_combat(values, sites)
