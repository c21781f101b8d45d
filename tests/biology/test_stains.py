"""Graded stains: reading levels, finding planted markers, saying what was found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.biology.stains import LEVELS, analyse_stains, grades, reader_agreement
from isthmus.errors import TableError


def _cohort(n: int = 60, effect: float = 1.6, seed: int = 0) -> tuple[pd.DataFrame, pd.Series[str]]:
    rng = np.random.default_rng(seed)
    high = np.arange(n) % 2 == 1
    latent = rng.logistic(size=(n, 5))
    latent[:, 0] -= effect * high
    latent[:, 4] = latent[:, 3] + 0.3 * rng.logistic(size=n)
    codes = pd.DataFrame(np.digitize(latent, [-1, 0.3, 1.5]).astype(float), columns=list("ABCDE"))
    return codes, pd.Series(np.where(high, "High", "Low"))


def test_levels_are_read_in_their_order_in_any_case() -> None:
    """A missing cell stays missing."""
    table = pd.DataFrame({"DLAT": ["negative", "Strong Positive", None, "Weak positive"]})
    np.testing.assert_array_equal(grades(table, ["DLAT"], LEVELS)["DLAT"], [0, 3, np.nan, 1])


def test_a_cell_that_is_no_level_is_refused() -> None:
    """With the levels."""
    with pytest.raises(TableError, match="'Week Positive' is none of the levels Negative, Weak"):
        grades(pd.DataFrame({"DLAT": ["Week Positive"]}), ["DLAT"], LEVELS)


def test_a_marker_that_is_lower_is_found_and_said() -> None:
    """Direction, effect and sentence agree; the other markers are not found."""
    codes, group = _cohort()
    found = analyse_stains(codes, group, LEVELS, low="Low", high="High", permutations=99)
    markers = found.tables["markers"].set_index("marker")
    assert list(markers.index[markers["fdr"] < 0.05]) == ["A"]
    assert markers.loc["A", "delta_high"] < 0
    assert markers.loc["A", "or_high"] < 1
    assert any("A lower (Cliff's delta" in line for line in found.sentences)


def test_nothing_found_is_said() -> None:
    """No sentence names a marker that does not differ."""
    codes, group = _cohort(effect=0.0)
    found = analyse_stains(codes, group, LEVELS, low="Low", high="High", permutations=99)
    assert any(line.startswith("No marker differs") for line in found.sentences)


def test_markers_that_go_together() -> None:
    """D and E share a cause, in both groups alike."""
    codes, group = _cohort()
    together = analyse_stains(codes, group, LEVELS, low="Low", high="High", permutations=199).tables["correlations"]
    pair = together.set_index(["marker_a", "marker_b"]).loc[("D", "E")]
    assert pair["fdr"] < 0.05 < pair["difference_p"]


def test_correlations_that_differ_between_groups() -> None:
    """Two markers that go together in one group and against each other in the other."""
    codes, group = _cohort(80)
    rng = np.random.default_rng(1)
    base = rng.integers(0, 4, 80).astype(float)
    codes["A"], codes["B"] = base, np.where(group == "High", base, 3 - base)
    together = analyse_stains(codes, group, LEVELS, low="Low", high="High", permutations=199).tables["correlations"]
    assert together.iloc[0]["difference_p"] == pytest.approx(1 / 200)


def test_counts_add_up() -> None:
    """Every graded patient stands in one level of one group."""
    codes, group = _cohort()
    codes.iloc[0, 0] = np.nan
    counts = analyse_stains(codes, group, LEVELS, low="Low", high="High", permutations=9).tables["counts"]
    assert counts.groupby("marker")[["n_Low", "n_High"]].sum().sum(axis=1).to_dict() == {
        "A": 59,
        "B": 60,
        "C": 60,
        "D": 60,
        "E": 60,
    }


def test_null_markers_are_found_at_the_nominal_rate() -> None:
    """Over 100 cohorts without a difference the exact p is below 0.05 in no more than 5 % of the markers."""
    small = []
    for seed in range(100):
        codes, group = _cohort(30, 0.0, seed)
        from isthmus.stats.ordered import wilcoxon_test

        high = (group == "High").to_numpy()
        for marker in "ABCD":
            x = codes[marker].to_numpy()
            small.append(wilcoxon_test([[np.sum(x[~high] == k), np.sum(x[high] == k)] for k in range(4)]).p < 0.05)
    assert np.mean(small) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_two_readers() -> None:
    """Quadratic weights: neighbours count as nearly the same."""
    codes, _ = _cohort()
    other = (codes + (np.random.default_rng(5).random(codes.shape) < 0.2)).clip(0, 3)
    found = reader_agreement(codes, other)
    assert (found["kappa"] > 0.8).all()
    assert (found["agreement"] < 1).all()
