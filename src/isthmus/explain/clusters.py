"""Groups of columns that say the same, so that their Shapley values are read together."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["correlated_groups"]


def correlated_groups(frame: pd.DataFrame, threshold: float) -> dict[str, int]:
    """Column -> number of its group (1, 2, ... in order of first appearance).

    Two columns whose absolute Spearman correlation exceeds the threshold are in one group, and so is whatever hangs on
    either. Between correlated columns a model divides its weight by chance; the sum over the group does not hang on it.

    Parameters
    ----------
    frame : DataFrame of numbers
        Missing values are left out pair by pair.
    threshold : float
    """
    from scipy.sparse.csgraph import connected_components

    linked = frame.corr(method="spearman").abs().fillna(0.0).to_numpy() > threshold
    _, labels = connected_components(linked, directed=False)
    first = {int(label): place + 1 for place, label in enumerate(dict.fromkeys(labels.tolist()))}
    return {str(column): first[int(label)] for column, label in zip(frame.columns, np.asarray(labels), strict=True)}
