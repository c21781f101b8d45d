"""A protein table from values to findings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biology.making import table
from isthmus.biology import ProteinSettings, analyse_proteins
from isthmus.errors import TableError


def test_planted_proteins_are_found() -> None:
    """The ten proteins that are higher in a group, and few others; high minus low by the contrast."""
    found = (
        analyse_proteins(table(), ProteinSettings(), contrast="high-low").tables["differential"].set_index("protein")
    )
    assert (found.loc[[f"P{i}" for i in range(10)], "found"] == 1).all()
    assert (found["found"] != 0).sum() <= 12


def test_the_order_of_a_contrast_is_its_sign() -> None:
    """A-B is A minus B."""
    there, back = (
        analyse_proteins(table(), ProteinSettings(), contrast=c).tables["differential"]
        for c in ("high-low", "low-high")
    )
    np.testing.assert_allclose(there["log2_fold_change"], -back["log2_fold_change"])


def test_limits_hold_the_difference() -> None:
    """The interval lies around the estimate and excludes 0 where p is below 0.05."""
    found = analyse_proteins(table(), ProteinSettings()).tables["differential"]
    assert ((found["ci_low"] > 0) | (found["ci_high"] < 0)).equals(found["p"] < 0.05)


def test_a_batch_in_the_model_removes_it() -> None:
    """A shift of half of the samples hides the planted proteins, unless the batch is in the model; pictures do not show it either."""
    one = table(batch=["1", "2"] * 8)
    two = one.samples["batch"] == "2"
    shifted = replace(one, values=one.values + np.where(two, np.random.default_rng(2).normal(0, 6, (120, 1)), 0.0))
    plain = analyse_proteins(shifted, ProteinSettings())
    adjusted = analyse_proteins(shifted, ProteinSettings(batch="batch"))
    assert (int(plain.found.sum()), int(adjusted.found[:10].sum())) == (0, 10)
    gap = adjusted.shown.loc[:, two].mean(axis=1) - adjusted.shown.loc[:, ~two].mean(axis=1)
    assert np.abs(gap).max() < 1e-8


def test_complete_means_every_sample() -> None:
    """A protein that misses one value is left out and listed with what it misses."""
    one = table()
    one.values.iloc[5, 2] = np.nan
    found = analyse_proteins(one, ProteinSettings())
    assert found.tables["left_out"].to_dict("list") == {
        "protein": ["P5"],
        "missing_low": [0.125],
        "missing_high": [0.0],
    }


def test_a_protein_of_one_group_only_is_kept_and_has_no_test() -> None:
    """With the values that are there nothing can be said, and that is said."""
    one = table()
    one.values.iloc[5, :8] = np.nan
    found = analyse_proteins(one, ProteinSettings(missing="available"))
    assert np.isnan(found.tables["differential"].set_index("protein").loc["P5", "p"])
    assert any("1 proteins have no test" in line for line in found.sentences)


def test_imputation_says_what_rests_on_it() -> None:
    """A protein below detection in a group is found by imputation, and the table says that without it there is no finding."""
    one = table(shift=4.0)
    one.values.iloc[5, :8] = np.nan
    found = analyse_proteins(one, ProteinSettings(missing="impute"))
    row = found.tables["imputation"].set_index("protein").loc["P5"]
    assert row["imputed"] == 8
    assert np.isnan(row["fdr_available"])
    assert 0 <= row["share_found"] <= 1
    assert row["lowest"] < row["highest"]


def test_combat_with_gaps_is_refused() -> None:
    """It needs every value."""
    one = table(site=["1", "2"] * 8)
    one.values.iloc[5, 2] = np.nan
    with pytest.raises(TableError, match="ComBat needs a value of every protein"):
        analyse_proteins(one, ProteinSettings(missing="available", batch="site", batch_method="combat"))


def test_nothing_measured_often_enough_is_refused() -> None:
    """With what could be done."""
    one = table()
    one.values.iloc[:, 0] = np.nan
    with pytest.raises(TableError, match="--missing available"):
        analyse_proteins(one, ProteinSettings())


def test_null_tables_give_discoveries_at_the_nominal_rate() -> None:
    """Over 100 tables without a difference, at most about 5 % have any discovery at FDR 5 %, and 5 % of all p are below 0.05."""
    any_found, small = [], []
    for seed in range(100):
        one = table(80, 6, shifted=0, seed=seed)
        from isthmus.stats.moderated_t import moderated_t

        found = moderated_t(one.values, (one.samples["group"] == "high").to_numpy()).table
        any_found.append((found["q"] < 0.05).any())
        small.append((found["p"] < 0.05).mean())
    assert np.mean(any_found) <= 0.12  # 99.7 % of binomial(100, 0.05)
    assert np.mean(small) == pytest.approx(0.05, abs=0.01)
