"""Moderated t beyond limma's example: its limits and its degenerate inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.stats.groups import student_t
from isthmus.stats.moderated_t import moderated_t


def _table(rows: int, spread: np.ndarray, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(rows, 14)) * spread[:, None]), np.repeat([0, 1], 7)


def test_equal_variances_give_an_infinite_prior() -> None:
    """Rows that are copies of one another in their spread share one variance."""
    base = np.random.default_rng(3).normal(size=14)
    table = pd.DataFrame([base + shift for shift in np.arange(20.0)])
    assert np.isinf(moderated_t(table, np.repeat([0, 1], 7)).prior_df)


def test_every_variance_is_shrunk_towards_the_prior() -> None:
    """The moderated t lies between Student's t and the t of the prior variance."""
    table, group = _table(200, np.exp(np.random.default_rng(2).normal(0, 0.5, 200)))
    found = moderated_t(table, group)
    plain = np.array([student_t(row[group == 1], row[group == 0]).statistic for row in table.to_numpy()])
    prior = found.table["difference"] / np.sqrt(found.prior_variance * 2 / 7)
    low, high = np.minimum(np.abs(plain), np.abs(prior)), np.maximum(np.abs(plain), np.abs(prior))
    assert ((low <= np.abs(found.table["t"])) & (np.abs(found.table["t"]) <= high)).all()


def test_a_row_without_one_group_takes_no_part() -> None:
    """A measurement missing in a whole group is NaN, and the others are as if it were not there."""
    table, group = _table(30, np.ones(30))
    broken = pd.concat([table, table.iloc[:1].set_axis([99]).where(group[None, :] == 1)])
    found = moderated_t(broken, group).table
    pd.testing.assert_frame_equal(found.iloc[:30], moderated_t(table, group).table)
    assert np.isnan(found.loc[99, "p"])


def test_a_group_of_the_wrong_length_is_refused() -> None:
    """One group label per patient."""
    table, _ = _table(5, np.ones(5))
    with pytest.raises(TableError, match="both groups need patients"):
        moderated_t(table, [0, 1])
