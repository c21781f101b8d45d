"""Slow twins of IBSI's families of intensities, written from the manual's text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NAN = float("nan")


def spread(x: NDArray[np.float64]) -> dict[str, float]:
    """What intensity statistics and histogram have in common, by the ends of their names."""
    p10, p25, p50, p75, p90 = np.percentile(x, [10, 25, 50, 75, 90])
    mean = x.mean()
    flat = x.min() == x.max()
    m2, m3, m4 = (0.0, 0.0, 0.0) if flat else (((x - mean) ** n).mean() for n in (2, 3, 4))
    inside = x[(x >= p10) & (x <= p90)]
    return {
        "mean": mean,
        "var": m2,
        "skew": 0.0 if flat else m3 / m2**1.5,
        "kurt": 0.0 if flat else m4 / m2**2 - 3,
        "median": p50,
        "min": x.min(),
        "p10": p10,
        "p90": p90,
        "max": x.max(),
        "iqr": p75 - p25,
        "range": x.max() - x.min(),
        "mad": np.abs(x - mean).mean(),
        "rmad": np.abs(inside - inside.mean()).mean() if len(inside) else NAN,
        "medad": np.abs(x - p50).mean(),
        "cov": np.sqrt(m2) / mean if mean else NAN,
        "qcod": (p75 - p25) / (p75 + p25) if p75 + p25 else NAN,
    }


def intensity_statistics(x: NDArray[np.float64]) -> dict[str, float]:
    return {f"stat_{name}": value for name, value in spread(x).items()} | {
        "stat_energy": (x**2).sum(),
        "stat_rms": np.sqrt((x**2).mean()),
    }


def intensity_histogram(levels: NDArray[np.int64], bins: int) -> dict[str, float]:
    counts = [int((levels == g).sum()) for g in range(1, bins + 1)]
    share = [n / len(levels) for n in counts if n]
    mean = levels.mean()
    commonest = [g for g in range(1, bins + 1) if counts[g - 1] == max(counts)]
    slope = list(np.gradient(np.array(counts, float))) if bins > 1 else [NAN]
    return {f"ih_{name}": value for name, value in spread(levels.astype(np.float64)).items()} | {
        "ih_mode": min(commonest, key=lambda g: (abs(g - mean), g)),
        "ih_entropy": -sum(p * np.log2(p) for p in share),
        "ih_uniformity": sum(p * p for p in share),
        "ih_max_grad": max(slope),
        "ih_max_grad_g": 1 + slope.index(max(slope)) if bins > 1 else NAN,
        "ih_min_grad": min(slope),
        "ih_min_grad_g": 1 + slope.index(min(slope)) if bins > 1 else NAN,
    }


def intensity_volume_histogram(levels: NDArray[np.int64], bins: int, first: float, step: float) -> dict[str, float]:
    grid = range(1, bins + 1)
    volume = {g: (levels >= g).sum() / len(levels) for g in grid}
    fraction = {g: (g - 1) / (bins - 1) for g in grid} if bins > 1 else {}

    def v(x: float) -> float:
        return max((volume[g] for g in grid if fraction[g] >= x), default=NAN) if fraction else NAN

    def i(x: float) -> float:
        return first + step * (min((g for g in grid if volume[g] <= x), default=NAN) - 1)

    area = sum((volume[g] + volume[g + 1]) / 2 * (fraction[g + 1] - fraction[g]) for g in list(grid)[:-1])
    return {
        "ivh_v10": v(0.1),
        "ivh_v90": v(0.9),
        "ivh_i10": i(0.1),
        "ivh_i90": i(0.9),
        "ivh_diff_v10_v90": v(0.1) - v(0.9),
        "ivh_diff_i10_i90": i(0.1) - i(0.9),
        "ivh_auc": area,
    }
