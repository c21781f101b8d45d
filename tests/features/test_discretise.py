"""Grey levels as IBSI makes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from isthmus.errors import CaseError
from isthmus.features.discretise import Discretisation, grey_levels, volume_histogram_levels

NONE = Discretisation(method="none")


def fbs(width: float) -> Discretisation:
    return Discretisation(method="fbs", bin_width=width)


def fbn(count: int) -> Discretisation:
    return Discretisation(method="fbn", bin_count=count)


def test_fixed_bins_start_at_the_bound_of_resegmentation() -> None:
    """Level 1 is the bin above the bound, occupied or not."""
    assert grey_levels(np.array([-480.0, 400.0]), fbs(25), -500).levels.tolist() == [1, 37]


def test_fixed_bins_start_at_the_minimum_without_a_bound() -> None:
    """The region's smallest intensity has level 1."""
    assert grey_levels(np.array([-480.0, -455.0]), fbs(25)).levels.tolist() == [1, 2]


def test_the_maximum_falls_into_the_last_of_a_fixed_number() -> None:
    """N_g levels, not one more."""
    found = grey_levels(np.array([0.0, 0.99, 1.0]), fbn(8))
    assert (found.levels.tolist(), found.bins) == ([1, 8, 8], 8)


def test_a_flat_region_has_the_last_level_of_a_fixed_number() -> None:
    """The formula's own case for the maximum."""
    assert grey_levels(np.full(3, 7.0), fbn(32)).levels.tolist() == [32, 32, 32]


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30), st.integers(1, 300))
def test_a_fixed_number_of_bins_is_never_left(values: list[float], count: int) -> None:
    """Every level lies from 1 to N_g, and levels ascend with intensities."""
    x = np.sort(np.array(values))
    levels = grey_levels(x, fbn(count)).levels
    assert levels.min() >= 1
    assert levels.max() == count
    assert (np.diff(levels.astype(int)) >= 0).all()


def test_integers_stay_what_they_are() -> None:
    """The digital phantom's grey levels."""
    found = grey_levels(np.array([1, 3, 6], np.int16), NONE)
    assert (found.levels.tolist(), found.bins) == ([1, 3, 6], 6)


@pytest.mark.parametrize("values", [[0.0, 1.0], [1.5, 2.0], [-3.0, 4.0]])
def test_intensities_that_are_no_levels_are_refused(values: list[float]) -> None:
    """The message says what to set."""
    with pytest.raises(CaseError, match="bin_width"):
        grey_levels(np.array(values), NONE)


def test_too_many_bins_are_refused() -> None:
    """A bin width far below the intensities' steps."""
    with pytest.raises(CaseError, match="at most 4000000"):
        grey_levels(np.array([0.0, 1e9]), fbs(0.01))


def test_whole_intensities_span_the_range() -> None:
    """The volume histogram of HU runs over the re-segmentation range, occupied or not."""
    found = volume_histogram_levels(np.array([-100.0, 50.0]), NONE, -500, 400)
    assert (found.levels.tolist(), found.bins, found.first, found.step) == ([401, 551], 901, -500, 1)


def test_bins_of_a_size_stand_for_their_centres() -> None:
    """The first of the range's bins is half a width above its bound."""
    found = volume_histogram_levels(np.array([0.0, 3.0]), fbs(2.5), 0, 10)
    assert (found.levels.tolist(), found.bins, found.first, found.step) == ([1, 2], 4, 1.25, 2.5)


def test_fractions_need_bins_for_the_volume_histogram() -> None:
    """The message names the setting."""
    with pytest.raises(CaseError, match="ivh_discretisation"):
        volume_histogram_levels(np.array([0.5]), NONE)


@pytest.mark.parametrize(
    "given", [{"method": "fbs"}, {"method": "fbn", "bin_width": 2.0}, {"method": "none", "bin_count": 3}]
)
def test_a_method_takes_its_own_size(given: dict[str, object]) -> None:
    """Bins of a size need the size, a number of bins the number."""
    with pytest.raises(ValidationError, match="needs"):
        Discretisation.model_validate(given)


@pytest.mark.parametrize(("how", "label"), [(fbs(2.5), "FBS 2.5"), (fbn(32), "FBN 32"), (NONE, "")])
def test_the_label_says_method_and_size(how: Discretisation, label: str) -> None:
    """As the facts of a column have it."""
    assert how.label == label
