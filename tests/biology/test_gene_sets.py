"""Gene sets: the file, the running sum against its plain definition, over-representation against counting, the null."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from isthmus.biology.gene_sets import enrichment_scores, gene_ranking, gsea, over_representation, read_gmt
from isthmus.biology.settings import EnrichmentSettings
from isthmus.errors import TableError

SETTINGS = EnrichmentSettings(smallest=3, permutations=500)


def test_gmt(tmp_path: Path) -> None:
    """Name, description, genes; empty lines and trailing tabs do not matter."""
    (tmp_path / "a.gmt").write_text("TCA\thttp://x\tACO2\tDLAT\t\n\nOX\t\tCYCS\n")
    assert read_gmt(tmp_path / "a.gmt") == {"TCA": frozenset({"ACO2", "DLAT"}), "OX": frozenset({"CYCS"})}


@pytest.mark.parametrize(
    ("text", "message"),
    [("TCA ACO2 DLAT\n", "row 1 has 1 cells"), ("", "no gene set"), ("A\t\tx\nA\t\ty\n", "stands twice, in row 2")],
)
def test_what_is_no_gmt(text: str, message: str, tmp_path: Path) -> None:
    """Each says where."""
    (tmp_path / "a.gmt").write_text(text)
    with pytest.raises(TableError, match=message):
        read_gmt(tmp_path / "a.gmt")


def _plain(scores: np.ndarray, inside: np.ndarray) -> float:
    """The running sum, gene by gene."""
    total, sums = 0.0, []
    for score, hit in zip(scores, inside, strict=True):
        total += abs(score) / np.abs(scores[inside]).sum() if hit else -1 / (~inside).sum()
        sums.append(total)
    high, low = max(sums), min(sums)
    return high if high >= -low else low


def test_the_running_sum_is_the_plain_one() -> None:
    """At random places in random rankings."""
    rng = np.random.default_rng(0)
    scores = np.sort(rng.normal(size=40))[::-1]
    places = np.stack([np.sort(rng.choice(40, 6, replace=False)) for _ in range(200)])
    wanted = [_plain(scores, np.isin(np.arange(40), row)) for row in places]
    np.testing.assert_allclose(enrichment_scores(scores, places)[0], wanted, atol=1e-12)


def _ranking(n: int = 200) -> pd.DataFrame:
    t = np.linspace(4, -4, n)
    return pd.DataFrame(
        {"t": t, "difference": t, "p": np.exp(-np.abs(t)), "q": np.exp(-np.abs(t))}, index=[f"G{i}" for i in range(n)]
    )


def test_a_set_at_the_top_is_found_with_its_genes() -> None:
    """Ten of the first twenty genes: far out among shuffled sets; the leading edge is the set."""
    found = gsea(_ranking(), {"top": frozenset(f"G{i}" for i in range(0, 20, 2))}, SETTINGS, seed=1).iloc[0]
    assert found["nes"] > 2
    assert found["p"] < 0.01
    assert found["leading_edge"].split(";") == [f"G{i}" for i in range(0, 20, 2)]


def test_random_sets_have_uniform_p() -> None:
    """Of 300 random sets about 5 % have p below 0.05, and few a false discovery rate below 0.25."""
    rng = np.random.default_rng(4)
    sets = {str(k): frozenset(f"G{i}" for i in rng.choice(200, 15, replace=False)) for k in range(300)}
    found = gsea(_ranking(), sets, SETTINGS, seed=2)
    assert 0.02 < (found["p"] < 0.05).mean() < 0.085
    assert (found["fdr"] < 0.25).mean() < 0.02


def test_over_representation_is_counted() -> None:
    """Three of four found genes in a set of five among ten: the share of all choices of four with as many."""
    table = _ranking(10).assign(q=[0.01] * 4 + [0.9] * 6)
    members = {"G0", "G1", "G2", "G7", "G9"}
    found = over_representation(table, {"s": frozenset(members)}, SETTINGS, fdr=0.05)
    every = [len(set(chosen) & members) >= 3 for chosen in combinations(table.index, 4)]
    assert found.set_index("direction").loc["higher", "p"] == pytest.approx(np.mean(every))


def test_one_row_a_gene() -> None:
    """The first name of a cell counts; of two proteins of a gene the one with the smaller p."""
    result = pd.DataFrame(
        {"t": [1.0, 3.0, -2.0, np.nan], "p": [0.3, 0.01, 0.05, np.nan], "q": 1.0, "difference": 1.0}, index=list("abcd")
    )
    genes = pd.Series(["X", "X;Y", "Z", "W"], index=list("abcd"))
    assert gene_ranking(result, genes)["t"].to_dict() == {"X": 3.0, "Z": -2.0}
