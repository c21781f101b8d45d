"""NRI and IDI: laws and refusals (the numbers are compared with R in tests/reference)."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.reclassification import integrated_discrimination, net_reclassification

Y = np.array([1, 1, 1, 0, 0, 0, 0])
OLD = np.array([0.3, 0.6, 0.4, 0.3, 0.1, 0.5, 0.2])
NEW = np.array([0.6, 0.5, 0.8, 0.1, 0.2, 0.4, 0.2])


def test_exchanging_the_models_changes_the_sign() -> None:
    """The improvement of B over A is minus that of A over B."""
    there, back = net_reclassification(Y, OLD, NEW), net_reclassification(Y, NEW, OLD)
    assert there.total.estimate == -back.total.estimate


def test_by_hand() -> None:
    """Two of three events up and one down, two of four non-events down and one up."""
    found = net_reclassification(Y, OLD, NEW)
    assert (found.events, found.nonevents) == pytest.approx((1 / 3, 1 / 4))


def test_a_limit_belongs_to_the_category_above() -> None:
    """A probability at the cut-off counts as high."""
    found = net_reclassification([1, 1, 0, 0], [0.4, 0.4, 0.4, 0.4], [0.5, 0.5, 0.4, 0.4], cuts=[0.5])
    assert found.events == 1.0


def test_idi_is_the_difference_of_slopes() -> None:
    """IDI is the change of (mean risk of events minus mean risk of non-events)."""

    def slope(p: np.ndarray) -> float:
        return float(p[Y == 1].mean() - p[Y == 0].mean())

    assert integrated_discrimination(Y, OLD, NEW).total.estimate == pytest.approx(slope(NEW) - slope(OLD))


def test_no_change_has_no_interval() -> None:
    """Equal models give 0 and no claim of certainty."""
    found = net_reclassification(Y, OLD, OLD)
    assert (found.total.estimate, np.isnan(found.total.lower)) == (0.0, True)


def test_falling_cut_offs_are_refused() -> None:
    """Cut-offs must rise."""
    with pytest.raises(TableError, match="rising"):
        net_reclassification(Y, OLD, NEW, cuts=[0.5, 0.2])
