"""Slow twin of the first-order family: NumPy on the sorted list of intensities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EPS = float(np.spacing(1))


def firstorder_features(x: NDArray[np.float64], levels: NDArray[np.int64], voxel_volume: float) -> dict[str, float]:
    """`x`: intensities of the region as float64; `levels`: their grey levels."""
    p10, p25, p50, p75, p90 = np.percentile(x, [10, 25, 50, 75, 90])
    mean = x.mean()
    m2, m3, m4 = (((x - mean) ** n).mean() for n in (2, 3, 4))
    flat = x.min() == x.max()
    inside = x[(x >= p10) & (x <= p90)]
    share = np.unique(levels, return_counts=True)[1] / len(levels)
    return {
        "10Percentile": p10,
        "90Percentile": p90,
        "Energy": (x**2).sum(),
        "Entropy": -(share * np.log2(share + EPS)).sum(),
        "InterquartileRange": p75 - p25,
        "Kurtosis": 0.0 if flat else m4 / m2**2,
        "Maximum": x.max(),
        "MeanAbsoluteDeviation": 0.0 if flat else np.abs(x - mean).mean(),
        "Mean": mean,
        "Median": p50,
        "Minimum": x.min(),
        "Range": x.max() - x.min(),
        # two distinct voxels: neither lies between the percentiles
        "RobustMeanAbsoluteDeviation": 0.0
        if flat
        else np.abs(inside - inside.mean()).mean()
        if len(inside)
        else np.nan,
        "RootMeanSquared": np.sqrt((x**2).mean()),
        "Skewness": 0.0 if flat else m3 / m2**1.5,
        "TotalEnergy": (x**2).sum() * voxel_volume,
        "Uniformity": (share**2).sum(),
        "Variance": 0.0 if flat else m2,
    }
