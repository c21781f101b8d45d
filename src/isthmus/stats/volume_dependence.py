"""How far features are the volume of the lesion in other words."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.correlation import correlation_interval, correlation_test
from isthmus.stats.vif import vif

__all__ = ["COLUMNS", "volume_dependence"]

COLUMNS = ["feature", "rho", "lower", "upper", "n", "vif_volume", "vif"]


def volume_dependence(features: pd.DataFrame, volume: ArrayLike, *, confidence: float = 0.95) -> pd.DataFrame:
    """Each feature of a block beside the volume of the lesion.

    Parameters
    ----------
    features : DataFrame, one row a patient
        Columns of numbers.
    volume : array, shape (n,)
        In any unit, above 0.
    confidence : float

    Returns
    -------
    DataFrame of `COLUMNS`
        `rho`: Spearman's with the volume (with its logarithm it is the same) and Fisher's z limits, over `n` patients. `vif_volume`: by how
        much the variance of the feature's coefficient grows when log volume stands beside it in a model, 1 / (1 - r²). `vif`: the same of
        all other features of the block; empty where it would be infinite for want of patients, or because a feature is constant or a
        combination of others.
    """
    measured = np.log(np.asarray(volume, dtype=np.float64))
    every = _block_vif(features)
    rows = []
    for place, column in enumerate(features.columns):
        values = features[column].to_numpy(dtype=np.float64)
        found = correlation_interval(values, measured, "spearman", confidence)
        straight = correlation_test(values, measured, "pearson").statistic
        with_volume = 1 / (1 - straight**2) if abs(straight) < 1 else np.nan
        n = int((np.isfinite(values) & np.isfinite(measured)).sum())
        rows.append([str(column), found.estimate, found.lower, found.upper, n, with_volume, every[place]])
    return pd.DataFrame(rows, columns=COLUMNS)


def _block_vif(features: pd.DataFrame) -> Array:
    whole = features.dropna()
    unknown = np.full(features.shape[1], np.nan)
    if len(whole) <= features.shape[1] or features.shape[1] < 2:
        return unknown
    try:
        return vif(whole)
    except TableError:
        return unknown
