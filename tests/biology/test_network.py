"""The network of proteins within groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from isthmus.biology.network import correlation_network


def _residual(gaps: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    common = rng.normal(size=40)
    rows = [*(common + rng.normal(0, 0.4, 40) for _ in range(4)), *rng.normal(size=(8, 40))]
    values = np.array(rows)
    if gaps:
        values[0, :5] = np.nan
    return pd.DataFrame(values, index=[f"P{i}" for i in range(12)])


def test_proteins_with_a_common_cause_are_one_module() -> None:
    """Four proteins of one factor among eight of their own."""
    nodes = correlation_network(_residual(), 1, fdr=0.05)[1]
    assert nodes.loc[nodes["module"] == 1, "protein"].tolist() == ["P0", "P1", "P2", "P3"]


def test_correlations_of_incomplete_pairs() -> None:
    """A pair is compared where both are there."""
    frame = _residual(gaps=True)
    edges = correlation_network(frame, 0, fdr=0.05)[0].set_index(["protein_a", "protein_b"])
    wanted = stats.spearmanr(frame.loc["P0"].iloc[5:], frame.loc["P1"].iloc[5:])
    np.testing.assert_allclose(
        edges.loc[("P0", "P1"), ["spearman", "n", "p"]].astype(float), [wanted.statistic, 35, wanted.pvalue]
    )


def test_few_samples_give_no_p() -> None:
    """Ranks of six samples have no t distribution."""
    assert correlation_network(_residual().iloc[:, :6], 1, fdr=0.05)[0]["p"].isna().all()
