"""The rule for constant columns."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.stats.constant import constant_columns


@pytest.mark.parametrize(
    ("column", "constant"),
    [
        ([0.0, 0.0, 0.0], True),
        ([0.3, 0.1 + 0.2, 0.3], True),
        ([1e9, 1e9, 1e9], True),
        ([1e-13, 2e-13, 3e-13], False),
        ([1e9, 1e9 + 0.01, 1e9], False),
        ([-1.0, 1.0, -1.0], False),
    ],
)
def test_the_rule_is_relative(column: list[float], constant: bool) -> None:
    """Rounding does not vary; small units and large offsets do not make a column constant."""
    assert bool(constant_columns(np.array(column)[:, None])[0]) is constant
