"""Slow twins of the texture families: plain loops, straight from the definitions.

Levels are a dict from voxel (k, j, i) to grey level; a voxel that is not in it lies outside the region.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np

Voxel = tuple[int, int, int]
Grey = dict[Voxel, int]
EPS = float(np.spacing(1))

NEIGHBOURS = [d for d in product((-1, 0, 1), repeat=3) if d != (0, 0, 0)]
DIRECTIONS = [d for d in NEIGHBOURS if d > (0, 0, 0)]


def shifted(voxel: Voxel, step: Voxel, times: int = 1) -> Voxel:
    return voxel[0] + times * step[0], voxel[1] + times * step[1], voxel[2] + times * step[2]


def glcm(grey: Grey, step: Voxel) -> Counter[tuple[int, int]]:
    """Ordered pairs of neighbouring levels along a direction, counted both ways."""
    counts: Counter[tuple[int, int]] = Counter()
    for voxel, level in grey.items():
        other = grey.get(shifted(voxel, step))
        if other is not None:
            counts[level, other] += 1
            counts[other, level] += 1
    return counts


def glrlm(grey: Grey, step: Voxel) -> Counter[tuple[int, int]]:
    """Runs (level, length) along a direction; empty when no line along it holds two voxels."""
    counts: Counter[tuple[int, int]] = Counter()
    for voxel, level in grey.items():
        if grey.get(shifted(voxel, step, -1)) == level:
            continue  # not the beginning of a run
        length = 1
        while grey.get(shifted(voxel, step, length)) == level:
            length += 1
        counts[level, length] += 1
    reach = max(max(v) for v in grey) - min(min(v) for v in grey) + 1
    two_on_a_line = any(shifted(voxel, step, n) in grey for voxel in grey for n in range(1, reach + 1))
    return counts if two_on_a_line else Counter()


def glszm(grey: Grey) -> Counter[tuple[int, int]]:
    """Zones (level, size): 26-connected voxels of one level."""
    counts: Counter[tuple[int, int]] = Counter()
    left = set(grey)
    while left:
        first = left.pop()
        zone, edge = 1, [first]
        while edge:
            voxel = edge.pop()
            for step in NEIGHBOURS:
                other = shifted(voxel, step)
                if other in left and grey[other] == grey[first]:
                    left.remove(other)
                    edge.append(other)
                    zone += 1
        counts[grey[first], zone] += 1
    return counts


def gldm(grey: Grey) -> Counter[tuple[int, int]]:
    """(level, 1 + neighbours of the same level)."""
    return Counter(
        (level, 1 + sum(grey.get(shifted(voxel, step)) == level for step in NEIGHBOURS))
        for voxel, level in grey.items()
    )


def ngtdm(grey: Grey) -> dict[int, tuple[int, float]]:
    """Level -> (voxels, sum of absolute differences from the mean of the neighbours)."""
    table: dict[int, tuple[int, float]] = {}
    for voxel, level in grey.items():
        around = [grey[shifted(voxel, step)] for step in NEIGHBOURS if shifted(voxel, step) in grey]
        difference = abs(level - sum(around) / len(around)) if around else 0.0
        n, s = table.get(level, (0, 0.0))
        table[level] = (n + 1, s + difference)
    return table


def entropy(shares: list[float]) -> float:
    return -sum(p * math.log2(p + EPS) for p in shares)


def mean_of(rows: list[dict[str, float]], names: list[str]) -> dict[str, float]:
    """Mean over directions of what is a number."""
    result = {}
    for name in names:
        values = [row[name] for row in rows if not math.isnan(row[name])]
        result[name] = sum(values) / len(values) if values else math.nan
    return result


def glcm_features(grey: Grey, names: list[str]) -> dict[str, float]:
    """PyRadiomics' definitions, one direction at a time, then the mean."""
    highest = max(grey.values())
    present = sorted(set(grey.values()))
    rows = [glcm_row(counts, present, highest) for step in DIRECTIONS if (counts := glcm(grey, step))]
    result = mean_of(rows, names)
    if len(present) == 1:
        result["MCC"] = 1.0
    return result


def glcm_row(counts: Counter[tuple[int, int]], present: list[int], highest: int) -> dict[str, float]:
    """Of one matrix, symmetric or not; counts may be weighted."""
    total = sum(counts.values())
    p = {pair: n / total for pair, n in counts.items()}
    px = {i: sum(v for (a, _), v in p.items() if a == i) for i in present}
    py = {j: sum(v for (_, b), v in p.items() if b == j) for j in present}
    mu, mu_y = (sum(i * v for i, v in marginal.items()) for marginal in (px, py))
    plus: Counter[int] = Counter()
    minus: Counter[int] = Counter()
    for (i, j), v in p.items():
        plus[i + j] += v  # type: ignore[assignment]
        minus[abs(i - j)] += v  # type: ignore[assignment]
    variance = sum((i - mu) ** 2 * v for i, v in px.items())
    both = math.sqrt(variance * sum((j - mu_y) ** 2 * v for j, v in py.items()))
    covariance = sum((i - mu) * (j - mu_y) * v for (i, j), v in p.items())
    hxy, hx = entropy(list(p.values())), max(entropy(list(px.values())), entropy(list(py.values())))
    hxy1 = -sum(v * math.log2(px[i] * py[j] + EPS) for (i, j), v in p.items())
    hxy2 = -sum(px[i] * py[j] * math.log2(px[i] * py[j] + EPS) for i in present for j in present)
    inside = 1 - math.exp(-2 * (hxy2 - hxy))
    average = sum(k * v for k, v in minus.items())
    return {
        "Autocorrelation": sum(i * j * v for (i, j), v in p.items()),
        "ClusterProminence": sum((i + j - mu - mu_y) ** 4 * v for (i, j), v in p.items()),
        "ClusterShade": sum((i + j - mu - mu_y) ** 3 * v for (i, j), v in p.items()),
        "ClusterTendency": sum((i + j - mu - mu_y) ** 2 * v for (i, j), v in p.items()),
        "Contrast": sum((i - j) ** 2 * v for (i, j), v in p.items()),
        "Correlation": covariance / (both + EPS) if min(len(active(px)), len(active(py))) > 1 else 1.0,
        "DifferenceAverage": average,
        "DifferenceEntropy": entropy(list(minus.values())),
        "DifferenceVariance": sum((k - average) ** 2 * v for k, v in minus.items()),
        "Id": sum(v / (1 + k) for k, v in minus.items()),
        "Idm": sum(v / (1 + k * k) for k, v in minus.items()),
        "Idmn": sum(v / (1 + k * k / highest**2) for k, v in minus.items()),
        "Idn": sum(v / (1 + k / highest) for k, v in minus.items()),
        "Imc1": (hxy - hxy1) / hx if hx else 0.0,
        "Imc2": 0.0 if hxy2 == hxy else math.sqrt(inside) if inside >= 0 else math.nan,
        "InverseVariance": sum(v / (k * k) for k, v in minus.items() if k),
        "JointAverage": mu,
        "JointEnergy": sum(v * v for v in p.values()),
        "JointEntropy": hxy,
        "MCC": correlation(p, px, py, present),
        "MaximumProbability": max(p.values()),
        "SumAverage": sum(k * v for k, v in plus.items()),
        "SumEntropy": entropy(list(plus.values())),
        "SumSquares": variance,
    }


def active(marginal: dict[int, float]) -> list[int]:
    return [i for i, v in marginal.items() if v > 0]


def correlation(
    p: dict[tuple[int, int], float], px: dict[int, float], py: dict[int, float], present: list[int]
) -> float:
    """Second largest eigenvalue of Q, term by term."""
    if len(active(px)) < 2:
        return 0.0 if len(present) > 1 else 1.0
    joint = np.array([[p.get((i, j), 0.0) for j in present] for i in present])
    x, y = np.array([px[i] for i in present]), np.array([py[j] for j in present])
    q = (joint / (np.outer(x, y) + EPS)) @ joint.T
    return math.sqrt(max(sorted(np.linalg.eigvals(q).real)[-2], 0.0))


def size_sums(counts: Counter[tuple[int, int]]) -> dict[str, float]:
    """What run-length, zone and dependence features share, by neutral names."""
    total = sum(counts.values())
    levels: Counter[int] = Counter()
    sizes: Counter[int] = Counter()
    for (i, j), n in counts.items():
        levels[i] += n
        sizes[j] += n
    mean_level = sum(i * n for i, n in levels.items()) / total
    mean_size = sum(j * n for j, n in sizes.items()) / total
    return {
        "gln": sum(n * n for n in levels.values()) / total,
        "sn": sum(n * n for n in sizes.values()) / total,
        "glv": sum((i - mean_level) ** 2 * n for i, n in levels.items()) / total,
        "sv": sum((j - mean_size) ** 2 * n for j, n in sizes.items()) / total,
        "e": entropy([n / total for n in counts.values()]),
        "lg": sum(n / i**2 for (i, _), n in counts.items()) / total,
        "hg": sum(n * i**2 for (i, _), n in counts.items()) / total,
        "sa": sum(n / j**2 for (_, j), n in counts.items()) / total,
        "la": sum(n * j**2 for (_, j), n in counts.items()) / total,
        "salg": sum(n / (i * j) ** 2 for (i, j), n in counts.items()) / total,
        "sahg": sum(n * i**2 / j**2 for (i, j), n in counts.items()) / total,
        "lalg": sum(n * j**2 / i**2 for (i, j), n in counts.items()) / total,
        "lahg": sum(n * (i * j) ** 2 for (i, j), n in counts.items()) / total,
        "n": total,
        "voxels": sum(j * n for j, n in sizes.items()),
    }


def _family(
    counts: Counter[tuple[int, int]], voxels: int, words: tuple[str, str, str, str, str, str]
) -> dict[str, float]:
    """`words`: level emphasis, small, large, size non-uniformity, variance, entropy; as the family spells them."""
    level, small, large, non, variance, disorder = words
    s = size_sums(counts)
    return {
        "GrayLevelNonUniformity": s["gln"],
        "GrayLevelNonUniformityNormalized": s["gln"] / s["n"],
        "GrayLevelVariance": s["glv"],
        f"High{level}": s["hg"],
        f"Low{level}": s["lg"],
        f"{large}Emphasis": s["la"],
        f"{small}Emphasis": s["sa"],
        f"{large}HighGrayLevelEmphasis": s["lahg"],
        f"{large}LowGrayLevelEmphasis": s["lalg"],
        f"{small}HighGrayLevelEmphasis": s["sahg"],
        f"{small}LowGrayLevelEmphasis": s["salg"],
        non: s["sn"],
        f"{non}Normalized": s["sn"] / s["n"],
        variance: s["sv"],
        disorder: s["e"],
        "RunPercentage": s["n"] / s["voxels"],
        "ZonePercentage": s["n"] / voxels,
    }


def glrlm_features(grey: Grey, names: list[str]) -> dict[str, float]:
    words = ("GrayLevelRunEmphasis", "ShortRun", "LongRun", "RunLengthNonUniformity", "RunVariance", "RunEntropy")
    rows = [_family(counts, len(grey), words) for step in DIRECTIONS if (counts := glrlm(grey, step))]
    return mean_of(rows, names)


def glszm_features(grey: Grey, names: list[str]) -> dict[str, float]:
    words = ("GrayLevelZoneEmphasis", "SmallArea", "LargeArea", "SizeZoneNonUniformity", "ZoneVariance", "ZoneEntropy")
    values = _family(glszm(grey), len(grey), words)
    return {name: values[name] for name in names}


def gldm_features(grey: Grey, names: list[str]) -> dict[str, float]:
    words = ("GrayLevelEmphasis", "SmallDependence", "LargeDependence", "DependenceNonUniformity", "DependenceVariance")
    values = _family(gldm(grey), len(grey), (*words, "DependenceEntropy"))
    return {name: values[name] for name in names}


def ngtdm_features(grey: Grey, names: list[str]) -> dict[str, float]:
    values = ngtdm_row(ngtdm(grey))
    return {name: values[name] for name in names}


def ngtdm_row(table: dict[int, tuple[int, float]]) -> dict[str, float]:
    voxels = sum(n for n, _ in table.values())
    p = {i: n / voxels for i, (n, _) in table.items()}
    s = {i: value for i, (_, value) in table.items()}
    pairs = [(i, j) for i in p for j in p]
    coarse = sum(p[i] * s[i] for i in p)
    busy = sum(abs(i * p[i] - j * p[j]) for i, j in pairs)
    strong = sum((p[i] + p[j]) * (i - j) ** 2 for i, j in pairs)
    spread = sum(p[i] * p[j] * (i - j) ** 2 for i, j in pairs)
    n = len(p)
    return {
        "Coarseness": 1 / coarse if coarse else 1e6,
        "Contrast": spread * sum(s.values()) / voxels / (n * (n - 1)) if n > 1 else 0.0,
        "Busyness": coarse / busy if busy else 0.0,
        "Complexity": sum(abs(i - j) * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j]) for i, j in pairs) / voxels,
        "Strength": strong / sum(s.values()) if sum(s.values()) else 0.0,
    }
