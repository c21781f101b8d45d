"""Risk groups and image features beside features of biology: differences, correlations, and blocks as wholes.

One family of tests is one table of features (all features between two groups) or one matrix (all pairs of two blocks); the false
discovery rate is over it. What was asked beforehand is a family of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import leaves_list, linkage

from isthmus.errors import TableError, first_few
from isthmus.stats.correlation import correlation_test, partial_correlation
from isthmus.stats.cross_block import cross_block
from isthmus.stats.effect_sizes import cliffs_delta_bootstrap, hodges_lehmann
from isthmus.stats.groups import adjust_p, mann_whitney
from isthmus.stats.max_t import max_t
from isthmus.stats.seeds import child_seed

__all__ = ["Association", "associate", "block_association", "compare_groups", "correlations"]

_SMALL = 40
"""Patients below which a comparison is called exploratory (specification: plan for 40 to 60)."""


@dataclass(frozen=True, eq=False)
class Association:
    """Tables (`groups`, `correlations`, `blocks`, as far as asked for) and what was found, in sentences."""

    tables: dict[str, pd.DataFrame]
    sentences: tuple[str, ...]


def compare_groups(
    values: pd.DataFrame, group: pd.Series[str], *, low: str = "low", high: str = "high", hypotheses: Collection[str] = (),
    permutations: int = 5000, seed: int = 42,
) -> pd.DataFrame:  # fmt: skip
    """Every feature between two groups of patients, a row a feature.

    Parameters
    ----------
    values : DataFrame (patients, features)
        Missing values are left out feature by feature.
    group : Series
        By patient.
    hypotheses : collection of str
        Features asked for beforehand: a family of their own.
    permutations, seed : int
        Of max-T; the seed also of the bootstrap of Cliff's delta.

    Returns
    -------
    DataFrame
        feature, family (prespecified, exploratory), n_low, n_high, median_low, median_high, shift (Hodges-Lehmann, high minus low) with
        limits, cliffs_delta with bootstrap limits, p (Mann-Whitney, exact where there are no ties), p_max_t (adjusted within the family by
        permutation), fdr (Benjamini-Hochberg within the family).
    """
    patients = [who for who in values.index if group.get(who) in (low, high)]
    x = values.loc[patients]
    side = np.array([group[who] == high for who in patients])
    if min(side.sum(), (~side).sum()) < 2:
        raise TableError(
            f"{int((~side).sum())} patients are {low} and {int(side.sum())} {high}; each group needs two or more"
        )
    unknown = [name for name in hypotheses if name not in x.columns]
    if unknown:
        raise TableError(
            f"hypotheses name features that do not exist: {first_few(unknown)}. Known: {first_few(x.columns)}"
        )
    rows = []
    for name in x.columns:
        a, b = x[name].to_numpy(dtype=np.float64)[side], x[name].to_numpy(dtype=np.float64)[~side]
        shift, test = hodges_lehmann(a, b), mann_whitney(a, b)
        delta = cliffs_delta_bootstrap(a, b, rng=np.random.default_rng(child_seed(seed, "delta", name)))
        present = [part[np.isfinite(part)] for part in (b, a)]
        rows.append(
            {
                "feature": name, "family": "prespecified" if name in hypotheses else "exploratory",
                "n_low": len(present[0]), "n_high": len(present[1]),
                "median_low": float(np.median(present[0])) if len(present[0]) else np.nan,
                "median_high": float(np.median(present[1])) if len(present[1]) else np.nan,
                "shift": shift.estimate, "shift_low": shift.lower, "shift_high": shift.upper,
                "cliffs_delta": delta.estimate, "delta_low": delta.lower, "delta_high": delta.upper,
                "p": test.p, "test": test.method,
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    table["p_max_t"] = table["fdr"] = np.nan
    for family, part in table.groupby("family"):
        rng = np.random.default_rng(child_seed(seed, "max_t", family))
        chosen = x[list(part["feature"])].to_numpy(dtype=np.float64)
        table.loc[part.index, "p_max_t"] = max_t(chosen, side, permutations=permutations, rng=rng)[1]
        table.loc[part.index, "fdr"] = adjust_p(part["p"], "benjamini-hochberg")
    return table


def correlations(
    left: pd.DataFrame,
    right: pd.DataFrame,
    *,
    given: pd.DataFrame | None = None,
    hypotheses: Collection[tuple[str, str]] = (),
) -> pd.DataFrame:
    """Spearman's correlation of every column of one block with every column of the other, a row a pair.

    Parameters
    ----------
    left, right : DataFrame (patients, columns)
        Matched by patient.
    given : DataFrame, optional
        What the partial correlation is freed of (volume, age).
    hypotheses : collection of pairs
        Asked beforehand: a family of their own.

    Returns
    -------
    DataFrame
        left, right, family, n, spearman, low, high, p, fdr (within the family), left_place, right_place (the order of average-linkage trees
        of the rows and columns of the matrix).
    """
    shared = left.index.intersection(right.index)
    others = pd.DataFrame(index=shared) if given is None else given.reindex(shared)
    a, b, z = left.loc[shared], right.loc[shared], others.to_numpy(dtype=np.float64)
    rows = []
    for one in a.columns:
        for two in b.columns:
            x, y = a[one].to_numpy(dtype=np.float64), b[two].to_numpy(dtype=np.float64)
            there = np.isfinite(np.column_stack([x, y, z])).all(axis=1)
            if z.shape[1]:
                found, p = partial_correlation(x, y, z)
                r, low, high = found.estimate, found.lower, found.upper
            else:
                test = correlation_test(x, y)
                r, p, low, high = test.statistic, test.p, *_limits(test.statistic, int(there.sum()))
            family = "prespecified" if (one, two) in hypotheses else "exploratory"
            rows.append((one, two, family, int(there.sum()), r, low, high, p))
    table = pd.DataFrame(rows, columns=["left", "right", "family", "n", "spearman", "low", "high", "p"])
    table["fdr"] = np.nan
    for _, part in table.groupby("family"):
        table.loc[part.index, "fdr"] = adjust_p(part["p"], "benjamini-hochberg")
    matrix = table.pivot(index="left", columns="right", values="spearman").loc[list(a.columns), list(b.columns)]
    for side, names, rows_of in (("left", list(a.columns), matrix), ("right", list(b.columns), matrix.T)):
        place = {names[leaf]: at for at, leaf in enumerate(_order(rows_of))}
        table[f"{side}_place"] = table[side].map(place)
    return table


def _limits(r: float, n: int) -> tuple[float, float]:
    """Bonett and Wright's limits of Spearman's coefficient."""
    if n < 5 or not abs(r) < 1:
        return float("nan"), float("nan")
    half = 1.959963984540054 * np.sqrt((1 + r**2 / 2) / (n - 3))
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))


def _order(matrix: pd.DataFrame) -> list[int]:
    if len(matrix) < 3:
        return list(range(len(matrix)))
    filled = np.nan_to_num(matrix.to_numpy(dtype=np.float64))
    return [int(leaf) for leaf in leaves_list(linkage(filled, "average", optimal_ordering=True))]


def block_association(
    left: pd.DataFrame,
    right: pd.DataFrame,
    *,
    given: pd.DataFrame | None = None,
    permutations: int = 999,
    seed: int = 42,
) -> pd.DataFrame:
    """Do the blocks go together as wholes? Regularised canonical correlation (shrinkage 0.5) and partial least squares (1), a row each.

    Columns: method, n, statistic, expected (mean over permutations), p, correlation (Spearman, of the two scores).
    """
    shared = left.index.intersection(right.index)
    z = None if given is None else given.reindex(shared).to_numpy(dtype=np.float64)
    rows = []
    for method, shrinkage in (("regularised canonical correlation", 0.5), ("partial least squares", 1.0)):
        rng = np.random.default_rng(child_seed(seed, "blocks", method))
        found = cross_block(
            left.loc[shared].to_numpy(dtype=np.float64), right.loc[shared].to_numpy(dtype=np.float64), given=z, shrinkage=shrinkage,
            permutations=permutations, rng=rng,
        )  # fmt: skip
        rows.append((method, found.n, found.statistic, found.expected, found.p, found.correlation))
    return pd.DataFrame(rows, columns=["method", "n", "statistic", "expected", "p", "correlation"])


def associate(
    biology: pd.DataFrame, *, group: pd.Series[str] | None = None, image: pd.DataFrame | None = None, given: Sequence[str] = (),
    hypotheses: Collection[str] = (), low: str = "low", high: str = "high", fdr: float = 0.05, seed: int = 42,
) -> Association:  # fmt: skip
    """Features of biology by patient beside risk groups, image features, or both.

    Parameters
    ----------
    biology : DataFrame (patients, features)
    group : Series, optional
        Risk group by patient.
    image : DataFrame, optional
        Image features by patient.
    given : sequence of str
        Columns of `image` that correlations are freed of (volume).
    hypotheses : collection of str
        Features of biology asked for beforehand.
    """
    tables: dict[str, pd.DataFrame] = {}
    lines: list[str] = []
    if group is not None:
        table = compare_groups(biology, group, low=low, high=high, hypotheses=hypotheses, seed=seed)
        tables["groups"] = table
        n = int(biology.index.isin(group.index[group.isin([low, high])]).sum())
        lines.append(
            f"{len(table)} features of {n} patients between {low} and {high} (Mann-Whitney)"
            f"{'; with fewer than ' + str(_SMALL) + ' patients this is exploratory' if n < _SMALL else ''}."
        )
        for family, part in sorted(table.groupby("family"), key=lambda one: one[0] != "prespecified"):
            found = part[part["fdr"] < fdr].sort_values("p")
            named = "; ".join(
                f"{row['feature']} {'higher' if row['cliffs_delta'] > 0 else 'lower'} in {high} (Cliff's delta {row['cliffs_delta']:.2f}, "
                f"{row['delta_low']:.2f} to {row['delta_high']:.2f})"
                for row in found.head(5).to_dict("records")
            )
            lines.append(
                f"{str(family).capitalize()}: {len(found)} of {len(part)} differ at a false discovery rate below {fdr:g}, "
                f"{int((part['p_max_t'] < fdr).sum())} with all tests' error below {fdr:g} by permutation"
                f"{': ' + named if named else ''}."
            )
    if image is not None:
        freed = image[list(given)] if given else None
        block = image.drop(columns=list(given))
        tables["correlations"] = correlations(block, biology, given=freed)
        pairs = tables["correlations"]
        related = int((pairs["fdr"] < fdr).sum())
        words = f", freed of {', '.join(given)}" if given else ""
        lines.append(
            f"{related} of {len(pairs)} pairs of image and biology features correlate (Spearman{words}) at a false discovery rate "
            f"below {fdr:g}; {fdr * len(pairs):.0f} would at p below {fdr:g} by chance alone."
        )
        complete = pd.concat([block, biology], axis=1, join="inner").dropna()
        if len(complete) >= 8 + len(given):
            tables["blocks"] = block_association(block, biology, given=freed, seed=seed)
            row = tables["blocks"].iloc[0]
            lines.append(
                f"The two blocks as wholes (regularised canonical correlation): statistic {row['statistic']:.2f}, by chance "
                f"{row['expected']:.2f} on average (p {row['p']:.2g}, {row['n']:.0f} patients with every value)."
            )
    return Association(tables, tuple(lines))
