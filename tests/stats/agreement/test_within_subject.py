"""Within-subject variation."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.agreement import within_subject


def test_recovers_the_noise():
    """Repeats with noise of sd 2 about 50 have that sd, a CV of about 0.04 and a repeatability coefficient of 5.5."""
    rng = np.random.default_rng(1)
    table = 50 + rng.normal(size=(4000, 1)) + 2 * rng.normal(size=(4000, 2))
    found = within_subject(table)
    got = [float(found.sd[0]), float(found.cv[0]), float(found.repeatability[0])]
    assert got == pytest.approx([2.0, 0.04, 5.54], rel=0.03)


def test_limits_enclose_the_coefficient():
    """Lower limit, coefficient, upper limit."""
    found = within_subject(np.random.default_rng(2).normal(size=(20, 3)))
    assert found.lower[0] < found.repeatability[0] < found.upper[0]


def test_no_cv_for_a_feature_that_can_be_negative():
    """A ratio to the mean means nothing where the mean can be zero."""
    assert np.isnan(within_subject(np.random.default_rng(2).normal(size=(20, 3))).cv[0])


def test_one_repeat_is_refused():
    """Nothing varies within one measurement."""
    with pytest.raises(TableError, match="2 or more complete"):
        within_subject(np.ones((5, 1)))
