"""Making samples comparable: a shift of each (median), one distribution for all (quantile), or one variance at every level (VSN)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from isthmus.biology.settings import Normalisation, Scale
from isthmus.biology.vsn import fit_vsn
from isthmus.errors import TableError
from isthmus.stats.binary import Array

__all__ = ["median_normalise", "normalise", "quantile_normalise"]


def normalise(values: pd.DataFrame, scale: Scale, how: Normalisation) -> pd.DataFrame:
    """Abundances on a log2 scale, normalised.

    Parameters
    ----------
    values : DataFrame (proteins, samples)
        Positive intensities ("raw") or their logarithms ("log2"); NaN where not measured.
    scale : {"raw", "log2"}
    how : {"none", "median", "quantile", "vsn"}

    Raises
    ------
    TableError
        VSN of logarithms.
    """
    numbers = values.to_numpy(dtype=np.float64)
    if how == "vsn":
        if scale != "raw":
            raise TableError(
                "VSN takes raw intensities (it chooses the transform itself); use median or quantile for log2"
            )
        found = fit_vsn(numbers).apply(numbers)
    else:
        found = np.log2(numbers) if scale == "raw" else numbers
        if how == "median":
            found = median_normalise(found)
        elif how == "quantile":
            found = quantile_normalise(found)
    return pd.DataFrame(found, index=values.index, columns=values.columns)


def median_normalise(values: Array) -> Array:
    """Every sample shifted so that its median is the mean of all medians."""
    medians = np.nanmedian(values, axis=0)
    result: Array = values - medians + medians.mean()
    return result


def quantile_normalise(values: Array) -> Array:
    """Every sample with one distribution, the mean of all (Bolstad et al., Bioinformatics 2003;19:185).

    A sample with missing values is stretched over all places by linear interpolation of its quantiles; tied values get the quantile
    of their mean rank; missing values stay missing.
    """
    rows, columns = values.shape
    if rows < 2:
        return values.copy()
    places = np.linspace(0, 1, rows)
    there = np.isfinite(values)
    if (there.sum(axis=0) < 2).any():
        raise TableError("quantile normalisation: a sample has fewer than two values; take it out")
    stretched = [
        np.interp(places, np.linspace(0, 1, int(there[:, j].sum())), np.sort(values[there[:, j], j]))
        for j in range(columns)
    ]
    common = np.mean(stretched, axis=0)
    result = np.full(values.shape, np.nan)
    for j in range(columns):
        mine = values[there[:, j], j]
        result[there[:, j], j] = np.interp((stats.rankdata(mine) - 1) / (len(mine) - 1), places, common)
    return result
