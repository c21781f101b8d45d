"""Missing proteins: which gaps are below detection, and what is put in their place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from isthmus.biology.missing import below_detection, imputations, knn_impute, qrilc_draw, shifted_draw
from isthmus.errors import TableError

NAN = np.nan
GROUP = pd.Series(["x", "x", "x", "y", "y", "y"], index=list("abcdef"))


def _frame(rows: list[list[float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list("abcdef"))


def test_a_protein_absent_in_most_of_a_group_is_below_detection_there() -> None:
    """Two of three missing in a group: below detection; one of three: chance."""
    frame = _frame([[NAN, NAN, 3, 4, 5, NAN], [1, 2, 3, 4, 5, 6]])
    wanted = [[True, True, False, False, False, False], [False] * 6]
    np.testing.assert_array_equal(below_detection(frame, GROUP, 0.5), wanted)


def test_neighbours_fill_a_gap_with_the_profile_of_their_kind() -> None:
    """A gap of a protein that rises gets what rising proteins have there, on its own level."""
    rising, falling = np.arange(6.0), np.arange(6.0)[::-1]
    rows = np.array([rising + 10, rising + 11, rising + 12, falling + 10, falling + 11, rising + 30])
    rows[5, 5] = NAN
    # the mean of the five values left is 32; the neighbours' profiles (mean 2.5 below each) end 2.5 above their means
    assert knn_impute(rows, neighbours=3)[5, 5] == pytest.approx(32 + 2.5)


def test_a_gap_without_neighbours_is_refused() -> None:
    """Nobody else was measured in that sample."""
    rows = np.array([[1.0, 2.0, NAN], [2.0, 3.0, NAN], [4.0, 5.0, NAN]])
    with pytest.raises(TableError, match="no protein resembles"):
        knn_impute(rows)


def test_shifted_values_lie_below_their_sample() -> None:
    """Mean 1.8 SD below, spread 0.3 SD of the sample."""
    values = np.random.default_rng(0).normal([10, 20], [1, 3], (4000, 2))
    drawn = shifted_draw(values, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(axis=0), [10 - 1.8, 20 - 1.8 * 3], atol=0.1)
    np.testing.assert_allclose(drawn.std(axis=0), [0.3, 0.9], rtol=0.05)


def test_qrilc_draws_the_part_that_was_cut_off() -> None:
    """Of a normal sample whose lowest fifth is missing, the draws have the distribution of that fifth."""
    whole = np.random.default_rng(2).normal(20, 2, (5000, 1))
    cut = np.quantile(whole, 0.2)
    drawn = qrilc_draw(np.where(whole < cut, NAN, whole), np.random.default_rng(3))
    assert stats.ks_2samp(drawn[:, 0], whole[whole < cut]).statistic < 0.06


def test_values_that_are_there_stay_and_draws_differ_where_drawn() -> None:
    """Mixed: measured values and gaps by chance are the same in every draw, gaps below detection are not."""
    rng = np.random.default_rng(5)
    frame = _frame((rng.normal(20, 2, (40, 1)) + rng.normal(0, 0.3, (40, 6))).tolist())
    frame.iloc[0, :3] = NAN
    frame.iloc[1, 4] = NAN
    one, other = imputations(frame, GROUP, "mixed", max_missing=0.5, draws=2, seed=1)
    moved = (one != other).to_numpy()
    assert moved[0, :3].all()
    assert moved.sum() == 3


def test_the_same_seed_gives_the_same_draws() -> None:
    """Nothing else decides."""
    frame = _frame(np.random.default_rng(5).normal(20, 2, (30, 6)).tolist())
    frame.iloc[3, :2] = NAN
    first, again = (next(iter(imputations(frame, GROUP, "qrilc", max_missing=0.5, draws=2, seed=8))) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
