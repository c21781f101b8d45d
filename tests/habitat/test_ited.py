"""iTED: the numeric checks of section 22 of the specification, and what must never be a zero."""

from __future__ import annotations

import numpy as np
import pytest

from habitat.making import table
from isthmus.habitat import NAMES, ItedSettings, SupervoxelTable, ited, ited_columns
from isthmus.habitat.ited import dispersions

FEATURE = "ited_glcm_Contrast"
COMPAT = ItedSettings(variant="compat", resamples=0)
WEIGHTED = ItedSettings(resamples=0)


def groups(first: int, second: int) -> np.ndarray:
    """Values around 0 and around 10, whose groups have exactly these means."""
    rng = np.random.default_rng(3)
    parts = [rng.normal(0, 1, n) for n in (first, second)]
    return np.concatenate([parts[0] - parts[0].mean(), 10 + parts[1] - parts[1].mean()])


def one(values: np.ndarray, settings: ItedSettings) -> tuple[float, float]:
    found = dispersions(np.asarray(values, float)[:, None], np.ones(len(values)), settings, seeds=[1])
    return float(found.value[0]), float(found.components[0])


def test_two_equal_groups() -> None:
    """30 + 30 values around 0 and 10: two components, 5.0."""
    assert one(groups(30, 30), COMPAT) == (pytest.approx(5.0, abs=0.02), 2)


@pytest.mark.parametrize(("settings", "expected"), [(COMPAT, 5.0), (WEIGHTED, 3.73)], ids=["compat", "weighted"])
def test_unequal_groups(settings: ItedSettings, expected: float) -> None:
    """50 + 10: 5.0 where components count alike, 3.73 where they count by their weight."""
    assert one(groups(50, 10), settings) == (pytest.approx(expected, abs=0.02), 2)


def test_compat_loses_features_of_small_units() -> None:
    """The absolute floor of the variance: the same data times 1e-4 have one component and no dispersion."""
    assert one(groups(50, 10) * 1e-4, COMPAT) == (0.0, 1)


@pytest.mark.parametrize("unit", [1e-4, 1e6])
def test_weighted_follows_the_unit(unit: float) -> None:
    """In another unit the dispersion is the same up to that unit."""
    assert one(groups(50, 10) * unit, WEIGHTED)[0] / unit == pytest.approx(one(groups(50, 10), WEIGHTED)[0], rel=1e-9)


@pytest.mark.parametrize("settings", [COMPAT, WEIGHTED], ids=["compat", "weighted"])
def test_a_constant_is_not_dispersed(settings: ItedSettings) -> None:
    """A true zero: all supervoxels have the same value."""
    assert one(np.full(20, 3.5), settings) == (0.0, 1)


@pytest.mark.parametrize("settings", [COMPAT, WEIGHTED], ids=["compat", "weighted"])
@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_values_are_unknown(settings: ItedSettings, n: int) -> None:
    """NaN, never zero."""
    found = dispersions(np.ones((n, 1)), np.ones(n), settings.model_copy(update={"minimum_supervoxels": 2}), seeds=[1])
    assert np.isnan([found.value[0], found.components[0]]).all()


def test_too_few_supervoxels_are_nan_with_a_reason() -> None:
    """Four supervoxels: 744 NaN, and why."""
    row = ited(table(np.arange(4.0)))
    assert row.isna().all()
    assert "4 supervoxels; at least 5" in row.attrs["reasons"]["ited"]


def test_a_feature_undefined_in_most_supervoxels_costs_itself_only() -> None:
    """The others are there; the reason is in `attrs`."""
    given = table(groups(20, 20))
    given.values[4:, NAMES.index("glcm_Contrast")] = np.nan
    row = ited(given, WEIGHTED)
    assert "defined in 4 of 40" in row.attrs["reasons"][FEATURE]
    assert (np.isnan(row[FEATURE]), row["ited_glcm_Correlation"] > 0) == (True, True)


def test_names_of_the_columns() -> None:
    """93 values with seven companions each, in the spelling of the contract."""
    names = ited_columns()
    start = names.index(FEATURE)
    suffixes = [name.removeprefix(FEATURE) for name in names[start : start + 8]]
    assert (len(names), suffixes) == (744, ["", "_ci_lower", "_ci_upper", "_se", "_k", "_sd", "_mad", "_iqr"])


def test_the_plain_dispersions_stand_beside_it() -> None:
    """Standard deviation, median absolute deviation and interquartile range of the values as they are."""
    x = groups(20, 30)
    row = ited(table(x), WEIGHTED)
    low, high = np.percentile(x, [25, 75])
    expected = [x.std(ddof=1), np.median(np.abs(x - np.median(x))), high - low]
    assert row[[FEATURE + s for s in ("_sd", "_mad", "_iqr")]].tolist() == pytest.approx(expected)


def test_the_interval_holds_the_estimate_and_has_the_spread_of_the_group_sizes() -> None:
    """Two sharp groups of 40 and 20: the dispersion is 10 sqrt(p (1 - p)), and what varies in a resample is p, binomially."""
    sharp = np.where(np.arange(60) < 40, 0.0, 10.0) + np.random.default_rng(5).normal(0, 0.01, 60)
    row = ited(table(sharp), ItedSettings(resamples=2000))
    p = np.random.default_rng(0).binomial(60, 1 / 3, 200_000) / 60
    drawn = 10 * np.sqrt(p * (1 - p))
    expected = [*np.percentile(drawn, [2.5, 97.5]), drawn.std()]
    assert row[[FEATURE + s for s in ("_ci_lower", "_ci_upper", "_se")]].tolist() == pytest.approx(expected, rel=0.03)


def test_an_interval_that_cannot_be_estimated_is_nan() -> None:
    """One component, or fewer than ten supervoxels: no interval instead of one of width 0."""
    one_group = ited(table(np.random.default_rng(1).normal(0, 1, 30)))
    few = ited(table(groups(4, 5)), ItedSettings(least_count=2))
    assert (one_group[FEATURE + "_k"], few[FEATURE + "_k"]) == (1, 2)
    assert np.isnan([one_group[FEATURE + "_ci_lower"], few[FEATURE + "_se"]]).all()


def test_compat_gives_the_interval_of_one_component_as_the_reference_work_does() -> None:
    """(0, 0) where k* = 1."""
    row = ited(table(np.random.default_rng(1).normal(0, 1, 30)), ItedSettings(variant="compat", resamples=50))
    assert row[[FEATURE + s for s in ("_k", "_ci_lower", "_ci_upper")]].tolist() == [1, 0, 0]


def test_draws_belong_to_patient_and_feature() -> None:
    """The same values of another patient or in another feature draw other resamples; the same patient draws the same."""
    x = groups(30, 20)
    first, again, other = (ited(table(x, patient)) for patient in ("a", "a", "b"))
    limits = {first[FEATURE + "_se"], other[FEATURE + "_se"], first["ited_glcm_Correlation_se"]}
    assert (first.equals(again), len(limits)) == (True, 3)


def test_threads_never_change_a_bit() -> None:
    """Three threads give the bits of one."""
    x = groups(30, 20)
    assert ited(table(x), workers=3).equals(ited(table(x)))


def test_large_supervoxels_count_more() -> None:
    """Weights by voxels: the small group made of large supervoxels weighs as much as the large one, and the dispersion is 5."""
    sizes = np.concatenate([np.full(50, 100.0), np.full(10, 500.0)])
    found = dispersions(groups(50, 10)[:, None], sizes, WEIGHTED, seeds=[1])
    assert found.value[0] == pytest.approx(5.0, abs=0.02)


def test_a_handful_of_odd_supervoxels_is_no_sub_population() -> None:
    """Three of 60 supervoxels far away: two components for "compat", one by default (fewer than five supervoxels)."""
    x = groups(57, 3)
    assert (one(x, COMPAT)[1], one(x, WEIGHTED)[1]) == (2, 1)


def test_sums_over_voxels_are_taken_per_voxel() -> None:
    """Supervoxels of two sizes with the same tissue: energy per voxel does not differ, so nothing is dispersed."""
    sizes = np.concatenate([np.full(20, 100.0), np.full(20, 400.0)])
    values = np.repeat(sizes[:, None], len(NAMES), axis=1)
    given = SupervoxelTable("p", values, sizes)
    name = "ited_firstorder_Energy"
    plain = ited(given, ItedSettings(resamples=0, size_adjusted=False))
    assert (ited(given, WEIGHTED)[name], plain[name] > 0) == (0.0, True)
