"""Slow and obvious: every number of two masks from the places of their voxels, one by one."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

STEPS = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]


def agreement(a: np.ndarray, b: np.ndarray, spacing: tuple[float, ...], tolerance: float) -> dict[str, float]:
    """As the definitions read; distances NaN where a mask is empty."""
    first, second = ({place for place in product(*map(range, m.shape)) if m[place]} for m in (a, b))
    common, joint = len(first & second), len(first | second)
    nan, voxel = math.nan, math.prod(spacing) / 1000
    n, m = len(first), len(second)
    found = {
        "dice": 2 * common / (n + m) if n + m else 1.0,
        "jaccard": common / joint if joint else 1.0,
        "volume_reference_ml": n * voxel,
        "volume_ml": m * voxel,
        "volume_difference_ml": (m - n) * voxel,
        "volume_difference_percent": 100 * (m - n) / n if n else nan,
        "volume_log_ratio": math.log(m / n) if n and m else nan,
    }
    names = ("hd_mm", "hd95_mm", "hd95_pooled_mm", "assd_mm", "surface_dice", "centroid_shift_mm")
    if not (n and m):
        return {**found, **dict.fromkeys(names, nan)}
    thick = [axis for axis in range(3) if a.shape[axis] > 1]
    steps = [step for step in STEPS if any(step[axis] for axis in thick)]

    def surface(mask: set[tuple[int, ...]]) -> list[tuple[int, ...]]:
        return [p for p in mask if any((p[0] + s[0], p[1] + s[1], p[2] + s[2]) not in mask for s in steps)]

    def apart(p: tuple[int, ...], q: tuple[int, ...]) -> float:
        return math.sqrt(sum(((x - y) * s) ** 2 for x, y, s in zip(p, q, spacing, strict=True)))

    here, there = surface(first), surface(second)
    forth = [min(apart(p, q) for q in there) for p in here]
    back = [min(apart(p, q) for q in here) for p in there]
    pooled = forth + back
    centres = [[sum(p[axis] for p in mask) / len(mask) for axis in range(3)] for mask in (first, second)]
    values = (
        max(pooled), max(percentile(forth), percentile(back)), percentile(pooled), sum(pooled) / len(pooled),
        sum(d <= tolerance for d in pooled) / len(pooled), apart(*map(tuple, centres)),
    )  # fmt: skip
    return {**found, **dict(zip(names, values, strict=True))}


def percentile(values: list[float]) -> float:
    """The 95th, linear between the order statistics."""
    ordered, at = sorted(values), 0.95 * (len(values) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])
