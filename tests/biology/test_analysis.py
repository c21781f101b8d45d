"""A protein table from values to findings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from biology.making import table
from isthmus.biology import ProteinSettings, analyse_proteins
from isthmus.biology.analysis import contrast_fits
from isthmus.biology.batches import remove_batches
from isthmus.biology.design import make_design
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


def test_combat_pays_for_the_batches() -> None:
    """Spread and degrees of freedom are those of the model that has them."""
    one = table(site=["1", "2"] * 8)
    settings = ProteinSettings(batch="site", batch_method="combat")
    found = analyse_proteins(one, settings)
    kept = analyse_proteins(one, ProteinSettings(batch="site")).result
    np.testing.assert_allclose(found.result.table["spread"], kept.table["spread"])
    np.testing.assert_allclose(found.result.table["df"], kept.table["df"])


@pytest.mark.parametrize(
    ("sites", "message"),
    [
        (["1"] * 8 + ["2"] * 8, "low and high cannot be told apart|high and low cannot be told apart"),
        (["1"] * 7 + ["3"] + ["1", "2"] * 4, "site 3 has one sample.*Keep the batch in the model"),
        ([str(i) for i in range(8)] * 2, "no site holds two samples of one group.*Keep the batch in the model"),
    ],
)
def test_batches_that_combat_cannot_tell_are_refused(sites: list[str], message: str) -> None:
    """The group in other words, a batch of one sample, and pairs without a replicate."""
    with pytest.raises(TableError, match=message):
        analyse_proteins(table(site=sites), ProteinSettings(batch="site", batch_method="combat"))


@pytest.mark.parametrize("cells", [((2, 2), (2, 2), (2, 2)), ((5, 1), (1, 5)), ((2, 0), (2, 2), (0, 2))])
def test_combat_keeps_the_nominal_rate(cells: tuple[tuple[int, int], ...]) -> None:
    """40 tables of 100 proteins that differ between batches (samples of each group in each) only: 5 % of p below 0.05, where plain
    limma on the same values gives 10 to 32 %."""
    group = [name for pair in cells for name, n in zip(("low", "high"), pair, strict=True) for _ in range(n)]
    site = [str(place) for place, pair in enumerate(cells) for _ in range(sum(pair))]
    settings = ProteinSettings(scale="log2", batch="site", batch_method="combat")
    samples = pd.DataFrame({"group": group, "site": site}, index=[f"s{i}" for i in range(len(site))])
    full = make_design(samples, "high-low", (), "site")
    bare = make_design(samples, "high-low", (), None)
    ours, plain = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        shift = rng.normal(size=(100, len(cells)))[:, list(map(int, site))]
        spread = 1 / np.sqrt(rng.gamma(4, 0.25, (100, 1)))
        values = pd.DataFrame(20 + shift + spread * rng.normal(size=shift.shape), columns=samples.index)
        clean = remove_batches(values, samples, settings)
        ours.append((contrast_fits(clean, values, bare, full, settings).table["p"] < 0.05).mean())
        plain.append((contrast_fits(clean, clean, bare, bare, settings).table["p"] < 0.05).mean())
    assert np.mean(ours) == pytest.approx(0.045, abs=0.012)
    assert np.mean(plain) > 0.09


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
