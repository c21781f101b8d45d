"""Stains graded on ordered levels (immunohistochemistry): do groups differ, by how much, and which markers go together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from isthmus.errors import TableError, did_you_mean, first_few
from isthmus.stats.agreement.kappa import cohen_kappa
from isthmus.stats.binary import Array
from isthmus.stats.effect_sizes import cliffs_delta, cramers_v
from isthmus.stats.groups import adjust_p, fisher_exact
from isthmus.stats.ordered import trend_test, wilcoxon_test
from isthmus.stats.proportional_odds import proportional_odds_ratio

__all__ = ["LEVELS", "StainAnalysis", "analyse_stains", "grades", "reader_agreement"]

LEVELS = ("Negative", "Weak Positive", "Moderate Positive", "Strong Positive")
"""What pathologists write, from low to high; any other list of levels can be given."""

_LEAST_PAIRS = 8


@dataclass(frozen=True, eq=False)
class StainAnalysis:
    """Tables of graded stains: `markers` (the answer), `counts`, `correlations`; and what was found, in sentences."""

    tables: dict[str, pd.DataFrame]
    sentences: tuple[str, ...]


def grades(table: pd.DataFrame, markers: Sequence[str], levels: Sequence[str]) -> pd.DataFrame:
    """Markers as codes 0, 1, ... in the order of the levels; missing cells NaN.

    Raises
    ------
    TableError
        A marker is no column, or a cell is none of the levels.
    """
    position = {level.strip().lower(): float(code) for code, level in enumerate(levels)}
    if len(position) < 2 or len(position) != len(levels):
        raise TableError(f"levels {', '.join(levels)}: expected two or more different ones, from low to high")
    found = {}
    for marker in markers:
        if marker not in table.columns:
            raise TableError(f"no column {marker!r} in the table of stains.{did_you_mean(marker, table.columns)}")
        cells = table[marker]
        wrong = sorted({str(cell) for cell in cells.dropna() if str(cell).strip().lower() not in position})
        if wrong:
            raise TableError(
                f"marker {marker!r}: {first_few(map(repr, wrong))} {'is' if len(wrong) == 1 else 'are'} none of the levels "
                f"{', '.join(levels)}; correct the cells, or give the levels from low to high (--levels)"
            )
        found[marker] = np.array([np.nan if pd.isna(cell) else position[str(cell).strip().lower()] for cell in cells])
    return pd.DataFrame(found, index=table.index)


def analyse_stains(
    codes: pd.DataFrame,
    group: pd.Series[str],
    levels: Sequence[str],
    *,
    low: str,
    high: str,
    covariates: pd.DataFrame | None = None,
    fdr: float = 0.05,
    permutations: int = 2000,
    seed: int = 42,
) -> StainAnalysis:
    """Compare graded markers between two groups of patients.

    Parameters
    ----------
    codes : DataFrame (patients, markers)
        From `grades`.
    group : Series
        Of each patient, `low` or `high`; others are left out.
    levels : sequence of str
    low, high : str
        Effects are of `high` against `low`.
    covariates : DataFrame, optional
        Numbers by patient that the odds ratio is adjusted for.
    fdr : float
        When a marker counts as found (Benjamini-Hochberg over the markers, of the exact rank-sum test, chosen beforehand).
    permutations, seed
        Of the comparison of correlations between the groups.
    """
    known = group.isin([low, high])
    codes, group = codes[known], group[known]
    extra = None if covariates is None else covariates[known]
    rng = np.random.default_rng(seed)
    draw = np.random.default_rng(seed + 1)
    is_high = (group == high).to_numpy()
    if min(is_high.sum(), (~is_high).sum()) < 2:
        raise TableError(
            f"{int((~is_high).sum())} patients of {low!r} and {int(is_high.sum())} of {high!r}; each group needs two or more"
        )
    rows, counted = [], []
    for marker in codes.columns:
        values = codes[marker].to_numpy()
        there = np.isfinite(values)
        table = _counts(values[there], is_high[there], len(levels))
        counted += [(marker, level, int(table[code, 0]), int(table[code, 1])) for code, level in enumerate(levels)]
        rows.append(_marker(marker, values, is_high, table, extra, draw))
    markers = pd.DataFrame(rows)
    markers.insert(list(markers.columns).index("p") + 1, "fdr", adjust_p(markers["p"], "benjamini-hochberg"))
    counts = pd.DataFrame(counted, columns=["marker", "level", f"n_{low}", f"n_{high}"])
    together = _correlations(codes, is_high, permutations, rng)
    sentences = _said(markers, together, is_high, low, high, fdr, extra)
    return StainAnalysis({"markers": markers, "counts": counts, "correlations": together}, sentences)


def _counts(values: Array, is_high: np.ndarray[tuple[int], np.dtype[np.bool_]], levels: int) -> Array:
    """Levels by group (low, high)."""
    return np.array(
        [[np.sum((values == code) & (is_high == side)) for side in (False, True)] for code in range(levels)]
    )


def _marker(
    marker: str, values: Array, is_high: np.ndarray[tuple[int], np.dtype[np.bool_]], table: Array, extra: pd.DataFrame | None,
    draw: np.random.Generator,
) -> dict[str, object]:  # fmt: skip
    wilcoxon, trend = wilcoxon_test(table), trend_test(table)
    anyhow = fisher_exact(table.T, rng=draw)
    delta = cliffs_delta(values[is_high], values[~is_high])
    columns = (
        is_high[:, None].astype(float)
        if extra is None
        else np.column_stack([is_high, extra.to_numpy(dtype=np.float64)])
    )
    there = np.isfinite(values) & np.isfinite(columns).all(axis=1)
    ratio, ratio_p = proportional_odds_ratio(columns[there], values[there])
    return {
        "marker": marker, "n": int(np.isfinite(values).sum()),
        "mean_low": float(np.nanmean(values[~is_high])), "mean_high": float(np.nanmean(values[is_high])),
        "cliffs_delta": delta.estimate, "delta_low": delta.lower, "delta_high": delta.upper,
        "p": wilcoxon.p, "test": wilcoxon.method,
        "trend_p": trend.p, "fisher_p": anyhow.p, "cramers_v": cramers_v(table),
        "odds_ratio": ratio.estimate, "or_low": ratio.lower, "or_high": ratio.upper, "or_p": ratio_p,
    }  # fmt: skip


def _correlations(
    codes: pd.DataFrame,
    is_high: np.ndarray[tuple[int], np.dtype[np.bool_]],
    permutations: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Spearman's of each pair of markers, in all and in each group, and whether the groups differ (Fisher's z, groups permuted)."""
    columns = [
        "marker_a",
        "marker_b",
        "n",
        "spearman",
        "p",
        "fdr",
        "spearman_low",
        "spearman_high",
        "difference_p",
        "difference_fdr",
    ]
    rows = []
    for a, b in combinations(codes.columns, 2):
        x = codes[[a, b]].to_numpy()
        there = np.isfinite(x).all(axis=1)
        x, side = x[there], is_high[there]
        if min(side.sum(), (~side).sum()) < _LEAST_PAIRS or (np.ptp(x, axis=0) == 0).any():
            rows.append((a, b, len(x), *_all(x), np.nan, np.nan, np.nan))
            continue
        apart = _apart(x, side)
        drawn = _shuffled_apart(x, int(side.sum()), permutations, rng)
        p = (1 + int((drawn >= apart[2] - 1e-12).sum())) / (1 + permutations)
        rows.append((a, b, len(x), *_all(x), apart[0], apart[1], p if np.isfinite(apart[2]) else np.nan))
    table = pd.DataFrame(rows, columns=[c for c in columns if not c.endswith("fdr")])
    table.insert(5, "fdr", adjust_p(table["p"], "benjamini-hochberg"))
    return table.assign(difference_fdr=adjust_p(table["difference_p"], "benjamini-hochberg"))[columns]


def _all(x: Array) -> tuple[float, float]:
    if len(x) < 3 or (np.ptp(x, axis=0) == 0).any():
        return float("nan"), float("nan")
    found = stats.spearmanr(*x.T)
    return float(found.statistic), float(found.pvalue)


def _apart(x: Array, side: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[float, float, float]:
    """Spearman's of each group and the distance of their Fisher z."""
    r = []
    for part in (x[~side], x[side]):
        if (np.ptp(part, axis=0) == 0).any():
            return float("nan"), float("nan"), float("nan")
        r.append(float(np.corrcoef(stats.rankdata(part[:, 0]), stats.rankdata(part[:, 1]))[0, 1]))
    z = np.arctanh(np.clip(r, -0.999, 0.999))
    return r[0], r[1], float(abs(z[1] - z[0]))


def _shuffled_apart(x: Array, high: int, permutations: int, rng: np.random.Generator) -> Array:
    """Distances of Fisher's z with the groups shuffled; 0 where a marker does not vary in a shuffled group."""
    order = rng.permuted(np.tile(np.arange(len(x)), (permutations, 1)), axis=1)
    z = []
    for part in (order[:, high:], order[:, :high]):
        a, b = (stats.rankdata(x[part, column], axis=1) for column in (0, 1))
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
        r = np.where(size > 0, (a * b).sum(axis=1) / np.where(size > 0, size, 1.0), np.nan)
        z.append(np.arctanh(np.clip(r, -0.999, 0.999)))
    return np.nan_to_num(np.abs(z[1] - z[0]))


def reader_agreement(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Weighted kappa (quadratic) of two readers, a row a marker: `marker, n, kappa, kappa_low, kappa_high, agreement`."""
    shared = first.index.intersection(second.index)
    rows = []
    for marker in first.columns:
        pairs = pd.DataFrame({"a": first.loc[shared, marker], "b": second.loc[shared, marker]}).dropna()
        if not len(pairs):
            continue
        classes = list(range(int(max(first.max().max(), second.max().max())) + 1))
        found = cohen_kappa(pairs["a"].astype(int), pairs["b"].astype(int), weights="quadratic", classes=classes)
        same = float((pairs["a"] == pairs["b"]).mean())
        rows.append((marker, len(pairs), found.estimate, found.interval.lower, found.interval.upper, same))
    return pd.DataFrame(rows, columns=["marker", "n", "kappa", "kappa_low", "kappa_high", "agreement"])


def _said(
    markers: pd.DataFrame, together: pd.DataFrame, is_high: np.ndarray[tuple[int], np.dtype[np.bool_]], low: str, high: str, fdr: float,
    extra: pd.DataFrame | None,
) -> tuple[str, ...]:  # fmt: skip
    """What was done and found."""
    found = markers[markers["fdr"] < fdr].sort_values("p")
    lines = [
        f"{len(markers)} markers of {int((~is_high).sum())} {low} and {int(is_high.sum())} {high} patients, by the rank-sum test on the "
        f"levels ({'exact' if markers['test'].str.endswith('exact').all() else 'exact where it can be counted'}); false discovery rate by "
        "Benjamini and Hochberg over the markers. Effects are of "
        f"{high} against {low}.",
    ]
    if len(found):
        named = ", ".join(
            f"{row['marker']} {'higher' if row['cliffs_delta'] > 0 else 'lower'} (Cliff's delta {row['cliffs_delta']:.2f}, "
            f"{row['delta_low']:.2f} to {row['delta_high']:.2f}; FDR {row['fdr']:.2g})"
            for row in found.to_dict("records")
        )
        lines.append(f"{len(found)} differ at a false discovery rate below {fdr:g}: {named}.")
    else:
        smallest = markers["fdr"].min()
        lines.append(f"No marker differs at a false discovery rate below {fdr:g} (the smallest is {smallest:.2g}).")
    if extra is not None and len(extra.columns):
        lines.append(f"Odds ratios of a higher level are adjusted for {', '.join(extra.columns)} (proportional odds).")
    pairs, differing = int((together["fdr"] < fdr).sum()), int((together["difference_fdr"] < fdr).sum())
    lines.append(
        f"{pairs} of {len(together)} pairs of markers correlate (Spearman), and {differing} do so differently in the two groups."
    )
    return tuple(lines)
