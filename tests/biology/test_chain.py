"""Synthetic biology beside out-of-sample risk groups, over a hundred cohorts: planted columns found, nothing else beyond chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.stats.groups import adjust_p, mann_whitney
from isthmus.stats.max_t import max_t
from isthmus.stats.moderated_t import moderated_t
from isthmus.stats.ordered import wilcoxon_test
from isthmus.synthetic.biology import PLANTED, STAIN_LEVELS, draw_biology

COHORTS = 100


def _found(strength: float) -> dict[str, tuple[float, float, float]]:
    """Per kind of table: share of cohorts with a discovery, share of planted columns found, mean share of false discoveries."""
    every: dict[str, list[tuple[bool, float, float]]] = {}
    for seed in range(COHORTS):
        rng = np.random.default_rng(seed)
        z = pd.Series(rng.normal(size=60), index=[f"P{i}" for i in range(60)])
        risk = z + 0.6 * rng.normal(size=60)
        high = (risk > np.median(risk)).to_numpy()
        made = draw_biology(z, strength=strength, seed=seed)
        nuclei = [mann_whitney(column[high], column[~high]).p for column in made.nuclei.to_numpy().T]
        codes = made.stains.map(STAIN_LEVELS.index).to_numpy()
        counts = [[[np.sum(c[~high] == k), np.sum(c[high] == k)] for k in range(4)] for c in codes.T]
        permuted = max_t(made.proteins.to_numpy(), high, permutations=499, rng=np.random.default_rng(seed))[1]
        for kind, table, q in (
            ("nuclei", made.nuclei, adjust_p(nuclei, "benjamini-hochberg")),
            ("proteins", made.proteins, moderated_t(made.proteins.T, high).table["q"].to_numpy()),
            ("stains", made.stains, adjust_p([wilcoxon_test(c).p for c in counts], "benjamini-hochberg")),
            ("proteins, max-T", made.proteins, permuted),
        ):
            planted, hit = np.isin(table.columns, PLANTED[kind.split(",")[0]]), q < 0.05
            every.setdefault(kind, []).append((hit.any(), hit[planted].mean(), hit[~planted].sum() / max(hit.sum(), 1)))
    return {kind: tuple(np.mean(rows, axis=0).tolist()) for kind, rows in every.items()}  # type: ignore[misc]


@pytest.mark.slow
def test_null_cohorts_give_discoveries_at_the_nominal_rate() -> None:
    """With nothing planted any discovery is a false one: 5 % of the cohorts have one, within 99.7 % of a binomial."""
    limit = 0.05 + 3 * np.sqrt(0.05 * 0.95 / COHORTS)
    found = {kind: any_found for kind, (any_found, _, _) in _found(0.0).items()}
    assert max(found.values()) <= limit, found


@pytest.mark.slow
def test_planted_columns_are_found() -> None:
    """At strength 1 four in five and more (max-T: two in three), and false discoveries stay below 5 % on average."""
    found = _found(1.0)
    assert all(share > (0.6 if "max-T" in kind else 0.8) for kind, (_, share, _) in found.items()), found
    assert all(false < 0.06 for _, _, false in found.values()), found
