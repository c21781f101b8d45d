"""Features of biology beside risk groups and image features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.biology.association import associate, compare_groups, correlations
from isthmus.errors import TableError


def _cohort(n: int = 60, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series[str]]:
    rng = np.random.default_rng(seed)
    names = [f"p{i}" for i in range(n)]
    phenotype, volume = rng.normal(size=n), rng.normal(size=n)
    image = pd.DataFrame(
        {"ith": phenotype + 0.3 * rng.normal(size=n), "noise": rng.normal(size=n), "volume": volume}, index=names
    )
    biology = pd.DataFrame(rng.normal(size=(n, 6)), columns=[f"f{i}" for i in range(6)], index=names)
    biology["f0"] += 1.5 * phenotype
    biology["f5"] += 2 * volume
    group = pd.Series(np.where(phenotype > 0, "high", "low"), index=names)
    return biology, image, group


def test_the_planted_feature_differs_between_groups() -> None:
    """It alone, by both ways of adjusting; the limits of shift and delta exclude 0."""
    biology, _, group = _cohort()
    table = compare_groups(biology, group).set_index("feature")
    assert list(table.index[table["fdr"] < 0.05]) == list(table.index[table["p_max_t"] < 0.05]) == ["f0"]
    assert min(table.loc["f0", ["shift_low", "delta_low"]]) > 0


def test_what_was_asked_beforehand_is_a_family_of_its_own() -> None:
    """One prespecified feature is adjusted for nothing else."""
    biology, _, group = _cohort()
    table = compare_groups(biology, group, hypotheses=["f0"]).set_index("feature")
    assert table.loc["f0", "fdr"] == table.loc["f0", "p"]
    assert table["family"].value_counts().to_dict() == {"exploratory": 5, "prespecified": 1}


def test_an_unknown_hypothesis_is_refused() -> None:
    """A slip of the pen must not vanish."""
    biology, _, group = _cohort()
    with pytest.raises(TableError, match="hypotheses name features that do not exist: f9"):
        compare_groups(biology, group, hypotheses=["f9"])


def test_partial_correlation_frees_of_volume() -> None:
    """f5 goes with volume; an image feature that follows volume goes with f5 no more once freed of it."""
    biology, image, _ = _cohort()
    image["big"] = image["volume"] + 0.3 * np.random.default_rng(3).normal(size=len(image))
    plain = correlations(image[["big"]], biology).set_index("right").loc["f5"]
    freed = correlations(image[["big"]], biology, given=image[["volume"]]).set_index("right").loc["f5"]
    assert plain["fdr"] < 0.001
    assert freed["p"] > 0.05


def test_pairs_are_matched_by_patient() -> None:
    """The order of rows does not matter, and patients of one table only take no part."""
    biology, image, _ = _cohort()
    table = correlations(image.iloc[::-1].iloc[5:], biology)
    wanted = correlations(image.iloc[:-5], biology.iloc[:-5])
    pd.testing.assert_frame_equal(table, wanted)


def test_sentences_are_made_of_the_results() -> None:
    """They name the planted feature, count the pairs, and give what chance alone would find."""
    biology, image, group = _cohort()
    found = associate(biology, group=group, image=image, given=["volume"])
    text = " ".join(found.sentences)
    assert "f0 higher in high" in text
    assert "of 12 pairs" in text
    assert found.tables["blocks"]["p"].max() < 0.05


def test_null_discoveries_keep_the_nominal_rate() -> None:
    """Over 100 cohorts without association, a false discovery rate of 5 % gives any finding in about 5 %."""
    from isthmus.stats.groups import adjust_p, mann_whitney

    rng, any_found = np.random.default_rng(9), []
    for _ in range(100):
        x, side = rng.normal(size=(40, 10)), np.arange(40) % 2 == 0
        p = [mann_whitney(column[side], column[~side]).p for column in x.T]
        any_found.append(adjust_p(p, "benjamini-hochberg").min() < 0.05)
    assert np.mean(any_found) <= 0.12
