"""Proteins that were not measured in every sample.

Label-free intensities are missing for two reasons. Below the limit of detection (not at random): the value was low, so a low one is
drawn. By the chance of the measurement (at random): the value was like that of proteins that behave alike. "mixed" tells the two
apart group by group: a protein that misses more than the allowed share of a group's samples counts as below detection there, every
other gap as chance.

References
----------
Troyanskaya et al., Bioinformatics 2001;17:520 (neighbours). Tyanova et al., Nat Methods 2016;13:731 (down-shifted normal). Lazar et al.,
J Proteome Res 2016;15:1116 (the two reasons, QRILC).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from isthmus.biology.settings import Imputation
from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["below_detection", "imputations", "knn_impute", "missing_shares", "qrilc_draw", "shifted_draw"]

Mask = NDArray[np.bool_]

DOWN, WIDTH = 1.8, 0.3
"""Of the down-shifted normal: standard deviations of the sample below its mean, and the share of its standard deviation."""

NEIGHBOURS = 10
_PIECE = 256


def missing_shares(values: pd.DataFrame, group: pd.Series[str]) -> pd.DataFrame:
    """Share of each group's samples that misses each protein; one column a group."""
    absent = values.isna()
    labels = group.loc[list(values.columns)].to_numpy()
    return pd.DataFrame({str(name): absent.loc[:, labels == name].mean(axis=1) for name in pd.unique(labels)})


def below_detection(values: pd.DataFrame, group: pd.Series[str], max_missing: float) -> Mask:
    """Gaps that count as below detection: their protein misses more than `max_missing` of the samples of their group."""
    shares = missing_shares(values, group)
    labels = group.loc[list(values.columns)].to_numpy()
    low = np.column_stack([shares[str(label)].to_numpy() > max_missing for label in labels])
    return low & values.isna().to_numpy()


def imputations(
    values: pd.DataFrame, group: pd.Series[str], how: Imputation, *, max_missing: float, draws: int, seed: int
) -> Iterator[pd.DataFrame]:
    """Complete tables, `draws` of them; those of "knn" are all the same, for nothing in them is drawn."""
    x = values.to_numpy(dtype=np.float64)
    gaps = np.isnan(x)
    base = x
    low = gaps
    if how in ("mixed", "knn"):
        low = below_detection(values, group, max_missing) if how == "mixed" else np.zeros_like(gaps)
        base = np.where(gaps & ~low, knn_impute(x), x) if (gaps & ~low).any() else x
    draw = qrilc_draw if how == "qrilc" else shifted_draw
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        filled = np.where(low, draw(x, rng), base) if low.any() else base
        yield pd.DataFrame(filled, index=values.index, columns=values.columns)


def shifted_draw(values: Array, rng: np.random.Generator) -> Array:
    """For every cell a value of a normal below its sample's: mean - 1.8 SD, 0.3 SD wide."""
    mean, sd = np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)
    drawn: Array = mean - DOWN * sd + WIDTH * sd * rng.standard_normal(values.shape)
    return drawn


def qrilc_draw(values: Array, rng: np.random.Generator) -> Array:
    """For every cell a value of the missing left part of its sample's normal distribution.

    A sample that misses the share m of its proteins shows the quantiles from m upwards of the whole distribution. Regressing the observed
    quantiles on those of a standard normal gives mean and spread of the whole; a value is drawn from it, below its m-quantile.
    """
    drawn = np.empty(values.shape)
    at = np.linspace(0.01, 0.99, 99)
    for j in range(values.shape[1]):
        seen = values[np.isfinite(values[:, j]), j]
        absent = 1 - len(seen) / len(values)
        if absent == 0:
            drawn[:, j] = np.nan
            continue
        normal = stats.norm.ppf(absent + (1 - absent) * at)
        spread, mean = np.polyfit(normal, np.quantile(seen, at), 1)
        drawn[:, j] = mean + spread * stats.norm.ppf(absent * (1 - rng.random(len(values))))
    return drawn


def knn_impute(values: Array, neighbours: int = NEIGHBOURS) -> Array:
    """Each gap as the mean, in its sample, of the proteins that are nearest elsewhere (root mean squared difference).

    Compared are profiles: each protein less its own mean, which is added again. A protein needs two values in common with a neighbour.

    Raises
    ------
    TableError
        A gap has no neighbour.
    """
    there = np.isfinite(values)
    gaps = np.flatnonzero(~there.all(axis=1))
    level = np.nanmean(np.where(there.any(axis=1, keepdims=True), values, 0.0), axis=1, keepdims=True)
    profile = values - level
    known, mask = np.where(there, profile, 0.0), there.astype(np.float64)
    result = values.copy()
    for start in range(0, len(gaps), _PIECE):
        rows = gaps[start : start + _PIECE]
        common = mask[rows] @ mask.T
        apart = (known[rows] ** 2) @ mask.T + mask[rows] @ (known**2).T - 2 * known[rows] @ known.T
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(common >= 2, np.maximum(apart, 0.0) / common, np.inf)
        distance[np.arange(len(rows)), rows] = np.inf
        for place, row in enumerate(rows):
            order = np.argsort(distance[place], kind="stable")
            order = order[np.isfinite(distance[place][order])]
            for j in np.flatnonzero(~there[row]):
                nearest = order[there[order, j]][:neighbours]
                if not len(nearest):
                    raise TableError(
                        f"no protein resembles number {row + 1} and was measured in sample {j + 1}: too few values for neighbours. "
                        "Use --imputation shifted, or a smaller --max-missing"
                    )
                result[row, j] = level[row, 0] + profile[nearest, j].mean()
    return result
