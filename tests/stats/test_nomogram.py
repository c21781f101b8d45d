"""Points, total points and risk; the reference numbers stand in tests/reference."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.nomogram import level_axis, make_nomogram, number_axis, pretty

AGE = number_axis("age", 0.1, (0.0, 50.0, 100.0))
SIZE = number_axis("size", -0.05, (10.0, 60.0))
SITE = level_axis("site", {"left": 0.0, "right": -1.0, "isthmus": 2.0}, missing=0.5)
MADE = make_nomogram((AGE, SIZE, SITE), -3.0)


def test_longest_axis_has_a_hundred_points() -> None:
    """The predictor that moves the log odds most reaches from 0 to 100."""
    assert [MADE.points(AGE, value) for value in AGE.ticks] == [0.0, 50.0, 100.0]


def test_points_run_backwards_where_the_coefficient_is_negative() -> None:
    """100 |beta| |x - x_ref| over the widest span, from the end that contributes less."""
    assert [MADE.points(SIZE, value) for value in (60.0, 10.0)] == pytest.approx([0.0, 25.0])


def test_levels_count_from_the_least() -> None:
    """The level with the smallest part has no points; a missing value has those of its part."""
    assert [MADE.points(SITE, value) for value in ("right", "isthmus", None)] == pytest.approx([0.0, 30.0, 15.0])


def test_total_points_give_the_linear_predictor() -> None:
    """Points of a patient, added, are the linear predictor on the scale of points."""
    total = MADE.points(AGE, 40) + MADE.points(SIZE, 22) + MADE.points(SITE, "left")
    assert float(MADE.linear_predictor(total)) == pytest.approx(-3.0 + 0.1 * 40 - 0.05 * 22, abs=1e-12)


def test_risk_and_total_are_each_others_inverse() -> None:
    """Points of a risk give that risk."""
    risks = np.array([0.01, 0.3, 0.95])
    np.testing.assert_allclose(MADE.risk(MADE.total(risks)), risks, atol=1e-14)


def test_largest_total_is_the_sum_of_the_axes() -> None:
    """All axes at their better-scored end."""
    assert MADE.most == pytest.approx(100.0 + 25.0 + 30.0)


def test_unknown_level_is_refused() -> None:
    """A level the model never saw has no points."""
    with pytest.raises(TableError, match="expected one of left, right, isthmus"):
        MADE.points(SITE, "both")


def test_no_effect_no_nomogram() -> None:
    """A model without a predictor that counts has nothing to draw."""
    with pytest.raises(TableError, match="no predictor"):
        make_nomogram((number_axis("age", 0.0, (0, 1)),), 0.2)


@pytest.mark.parametrize(
    ("low", "high", "ends"),
    [
        (14, 45, (10, 45)),
        (80, 250, (80, 260)),
        (-7.72466, 84.906, (-10, 90)),
        (0, 1, (0, 1)),
        (3e5, 9.1e5, (3e5, 9.5e5)),
    ],
)
def test_pretty_covers_the_range(low: float, high: float, ends: tuple[float, float]) -> None:
    """Round numbers around a range, as R's pretty(n = 10) gives them."""
    ticks = pretty(low, high)
    assert (ticks[0], ticks[-1]) == pytest.approx(ends)
