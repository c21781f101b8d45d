"""Gene sets of the user: over-representation among what was found, and enrichment along the whole ranking (GSEA).

Over-representation: hypergeometric, against the proteins that were tested. GSEA: Subramanian et al., PNAS 2005;102:15545, preranked:
the running sum over the ranking, weighted by the moderated t; normalised by the mean of the same sign of shuffled genes; the false
discovery rate by the shares of shuffled and of observed sets beyond. Shuffling genes takes the proteins of a set as independent, which
they are not: its p-values are too small where a set's proteins move together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from isthmus.biology.settings import EnrichmentSettings
from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.groups import adjust_p
from isthmus.stats.seeds import child_seed

__all__ = ["enrichment_scores", "gene_ranking", "gsea", "over_representation", "read_gmt"]


def read_gmt(path: str | Path) -> dict[str, frozenset[str]]:
    """Gene sets of a GMT file: name, description, genes, separated by tabs.

    Raises
    ------
    TableError
        The file is missing or no GMT, or a name stands twice with other genes.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise TableError(
            f"{path}: no such file. Expected gene sets (.gmt): name, description, genes, separated by tabs"
        ) from exc
    except UnicodeDecodeError as exc:
        raise TableError(f"{path}: not UTF-8 text (byte {exc.start}); expected a .gmt file") from exc
    sets: dict[str, frozenset[str]] = {}
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        genes = frozenset(cell for cell in cells[2:] if cell)
        if len(cells) < 3 or not cells[0] or not genes:
            raise TableError(
                f"{path}: row {row} has {len(cells)} cells; expected name, description and genes, separated by tabs"
            )
        if sets.get(cells[0], genes) != genes:
            raise TableError(f"{path}: the set {cells[0]!r} stands twice, in row {row} with other genes; rename one")
        sets[cells[0]] = genes
    if not sets:
        raise TableError(f"{path}: no gene set in it")
    return sets


def gene_ranking(result: pd.DataFrame, genes: pd.Series[str]) -> pd.DataFrame:
    """One row a gene, of several proteins of a gene the one with the smallest p; from largest to smallest t.

    Where a cell names several genes (`A;B`), the first counts. Proteins without a test or a gene take no part.
    """
    named = genes.astype("str").str.split(";").str[0].str.strip()
    table = result.assign(gene=named.where(genes.notna() & (named != "")))
    table = table[table["gene"].notna() & np.isfinite(table["t"])].sort_values("p", kind="stable")
    table = table.drop_duplicates("gene").set_index("gene")
    return table.sort_values("t", ascending=False, kind="stable")


def over_representation(
    ranking: pd.DataFrame,
    sets: Mapping[str, frozenset[str]],
    settings: EnrichmentSettings,
    *,
    fdr: float,
    least: float = 0.0,
) -> pd.DataFrame:
    """Is a set more common among the proteins found than among all that were tested? One row a set and direction.

    Parameters
    ----------
    ranking : DataFrame
        By gene: `difference`, `q`; from `gene_ranking`.
    sets : mapping
        Name -> genes.
    settings : EnrichmentSettings
        Smallest and largest set, counted among the tested genes.
    fdr, least : float
        A protein is found where q is below, and |difference| not below.

    Returns
    -------
    DataFrame
        direction (higher, lower, either), set, tested, found, expected, fold, p, fdr (Benjamini-Hochberg within a direction), genes.
    """
    found = (ranking["q"] < fdr) & (ranking["difference"].abs() >= least)
    rows = []
    for direction, chosen in (
        ("higher", found & (ranking["difference"] > 0)), ("lower", found & (ranking["difference"] < 0)), ("either", found),
    ):  # fmt: skip
        hits, total = set(ranking.index[chosen]), len(ranking)
        for name, genes in sets.items():
            tested = genes & set(ranking.index)
            if not settings.smallest <= len(tested) <= settings.largest:
                continue
            both = sorted(tested & hits)
            expected = len(hits) * len(tested) / total
            p = float(stats.hypergeom.sf(len(both) - 1, total, len(tested), len(hits)))
            fold = len(both) / expected if expected else float("nan")
            rows.append((direction, name, len(tested), len(both), expected, fold, min(p, 1.0), ";".join(both)))
    table = pd.DataFrame(rows, columns=["direction", "set", "tested", "found", "expected", "fold", "p", "genes"])
    q = table.groupby("direction", sort=False)["p"].transform(lambda p: adjust_p(p, "benjamini-hochberg"))
    table.insert(7, "fdr", q if len(table) else pd.Series(dtype=float))
    return table


def gsea(
    ranking: pd.DataFrame, sets: Mapping[str, frozenset[str]], settings: EnrichmentSettings, *, seed: int
) -> pd.DataFrame:
    """Does a set gather at one end of the ranking? One row a set: set, size, es, nes, p, fdr, leading_edge.

    p is the share of shuffled scores of the same sign that are at least as far out, the observed one counted in. Sets of one size share
    their shuffled scores.
    """
    scores = ranking["t"].to_numpy(dtype=np.float64)
    place = {gene: at for at, gene in enumerate(ranking.index)}
    columns = ["set", "size", "es", "nes", "p", "fdr", "leading_edge"]
    rows, nulls = [], []
    shuffled: dict[int, Array] = {}
    for name, genes in sets.items():
        at = np.sort([place[gene] for gene in genes if gene in place]).astype(np.int64)
        if not settings.smallest <= len(at) <= min(settings.largest, len(scores) - 1):
            continue
        if len(at) not in shuffled:
            rng = np.random.default_rng(child_seed(seed, "gsea", len(at)))
            drawn = np.stack(
                [np.sort(rng.choice(len(scores), len(at), replace=False)) for _ in range(settings.permutations)]
            )
            shuffled[len(at)] = enrichment_scores(scores, drawn)[0]
        null = shuffled[len(at)]
        (es,), (edge,) = enrichment_scores(scores, at[None, :])
        same = null[null >= 0] if es >= 0 else null[null < 0]
        if not len(same):  # every shuffled score has the other sign: as far out as these permutations can tell
            rows.append(
                (name, len(at), float(es), float("nan"), 1 / (1 + len(null)), _edge(ranking, at, es, int(edge)))
            )
            continue
        p = (1 + int((np.abs(same) >= abs(es)).sum())) / (1 + len(same))
        rows.append((name, len(at), float(es), float(es / np.abs(same).mean()), p, _edge(ranking, at, es, int(edge))))
        nulls.append(_normalised(null))
    table = pd.DataFrame(rows, columns=[c for c in columns if c != "fdr"])
    table.insert(5, "fdr", _false_discovery(table["nes"].to_numpy(dtype=np.float64), nulls))
    return table


def enrichment_scores(scores: Array, places: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """The running sum farthest from 0, and after how many hits (before the hit, where negative), for each row of hit places.

    Parameters
    ----------
    scores : array (genes,)
        From largest to smallest.
    places : array (sets, size)
        Rising places of each set's genes.
    """
    size, total = places.shape[1], len(scores)
    weight = np.abs(scores)[places]
    whole = weight.sum(axis=1, keepdims=True)
    # a set whose genes all have score 0 counts its hits alike
    share = np.where(whole > 0, weight / np.where(whole > 0, whole, 1.0), 1 / size)
    risen = np.cumsum(share, axis=1)
    missed = (places - np.arange(size)) / (total - size)
    after, before = risen - missed, risen - share - missed
    top, bottom = after.argmax(axis=1), before.argmin(axis=1)
    rows = np.arange(len(places))
    high, low = after[rows, top], before[rows, bottom]
    upper = high >= -low
    return np.where(upper, high, low), np.where(upper, top + 1, bottom)


def _edge(ranking: pd.DataFrame, at: NDArray[np.int64], es: float, hits: int) -> str:
    """The genes that make the score: before the top of the sum, or after its bottom."""
    return ";".join(map(str, ranking.index[at[:hits] if es >= 0 else at[hits:]]))


def _normalised(null: Array) -> Array:
    """Shuffled scores over the mean of those of their sign."""
    result = null.copy()
    for side in (null >= 0, null < 0):
        if side.any():
            result[side] = null[side] / np.abs(null[side]).mean()
    return result


def _false_discovery(nes: Array, nulls: list[Array]) -> Array:
    """Share of shuffled scores beyond, over share of observed ones beyond, each among those of its sign."""
    q = np.full(len(nes), np.nan)
    if not nulls:
        return q
    null = np.sort(np.concatenate(nulls))
    positive, negative = null[null >= 0], -null[null < 0][::-1]
    for i, one in enumerate(nes):
        if not np.isfinite(one):
            continue
        chance, seen = (positive, nes[nes >= 0]) if one >= 0 else (negative, -nes[nes < 0])
        beyond = 1 - np.searchsorted(chance, abs(one), side="left") / max(len(chance), 1)
        q[i] = min(1.0, beyond / (np.abs(seen) >= abs(one)).mean())
    return q
