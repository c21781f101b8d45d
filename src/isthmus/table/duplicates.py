"""Rule L11: the same person or the same scan under two names would sit on both sides of a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["NEAR", "near_duplicates"]

NEAR = 0.9999
"""Cosine of the standardised features from which two patients count as the same one."""

_FEWEST_COLUMNS = 20  # with fewer, strangers agree by chance
_BLOCK = 512


def near_duplicates(values: pd.DataFrame, patients: pd.Series[Any]) -> list[tuple[str, str, float]]:
    """Pairs of different patients whose features are almost the same.

    Parameters
    ----------
    values : DataFrame
        One row an observation; columns without numbers or without spread are left aside, missing cells count as the mean.
    patients : Series
        The patient of each row.

    Returns
    -------
    list of (patient, patient, cosine)
        Sorted by name; empty where there are fewer than 20 usable columns.
    """
    numbers = values.select_dtypes("number").to_numpy(dtype=np.float64)
    numbers = numbers[:, np.isfinite(numbers).any(axis=0)]
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.nanstd(numbers, axis=0) if len(numbers) else np.zeros(numbers.shape[1])
        numbers = numbers[:, spread > 0]
        if numbers.shape[1] < _FEWEST_COLUMNS:
            return []
        standard = np.nan_to_num((numbers - np.nanmean(numbers, axis=0)) / np.nanstd(numbers, axis=0))
    length = np.linalg.norm(standard, axis=1, keepdims=True)
    unit = standard / np.where(length > 0, length, 1.0)
    names = patients.astype("str").to_numpy()
    found: dict[tuple[str, str], float] = {}
    for start in range(0, len(unit), _BLOCK):
        cosine = unit[start : start + _BLOCK] @ unit.T
        for i, j in np.argwhere(cosine > NEAR):
            one, other = sorted((str(names[start + i]), str(names[j])))
            if one != other:
                found[one, other] = max(found.get((one, other), 0.0), float(cosine[i, j]))
    return [(one, other, cosine) for (one, other), cosine in sorted(found.items())]
