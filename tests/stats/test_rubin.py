"""Rubin's rules against mice, and their limits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats.rubin import pool, pooled_wald


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("estimate", "qbar"),
        ("within", "ubar"),
        ("between", "b"),
        ("total", "t"),
        ("df", "df"),
        ("increase", "r"),
        ("missing_information", "fmi"),
    ],
)
def test_pooling_equals_mice(ours: str, theirs: str, shared_data: Path) -> None:
    """Every number of mice's `pool.scalar`."""
    expected = json.loads((shared_data / "statistics_r" / "expected.json").read_text())["rubin_pool"]
    found = pool(expected["Q"], expected["U"], complete_df=expected["n"] - expected["k"])
    assert getattr(found, ours) == pytest.approx(expected[theirs], rel=1e-11)


def test_without_gaps_pooling_changes_nothing() -> None:
    """The same estimate in every copy has its own variance, and nearly all the degrees of freedom."""
    pooled = pool([0.5] * 5, [0.04] * 5, complete_df=100)
    assert (pooled.estimate, pooled.total, pooled.df > 97) == (0.5, 0.04, True)


def test_one_coefficient_by_either_test() -> None:
    """D1 of one coefficient is the squared t statistic."""
    q, u = [0.52, 0.61, 0.48, 0.57, 0.55], [0.041, 0.038, 0.044, 0.040, 0.039]
    single = pool(q, u)
    joint = pooled_wald(np.array(q)[:, None], np.array(u)[:, None, None])
    assert joint.statistic == pytest.approx(single.estimate**2 / single.total, rel=1e-12)


def test_one_copy_cannot_be_pooled() -> None:
    """The spread between copies needs two."""
    with pytest.raises(TableError, match="at least 2"):
        pool([0.5], [0.04])
