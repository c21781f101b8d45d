"""Slow twin of the one-dimensional mixtures: EM in plain loops, started from the best of all partitions of the sorted values."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from typing import NamedTuple


class Fit(NamedTuple):
    weights: list[float]
    means: list[float]
    variances: list[float]
    log_likelihood: float


def best_partition(x: list[float], w: list[float], k: int) -> list[list[int]]:
    """Every way of cutting sorted values into k runs is tried."""
    best, least = [], math.inf
    for cuts in combinations(range(1, len(x)), k - 1):
        ends = [0, *cuts, len(x)]
        parts = [list(range(a, b)) for a, b in pairwise(ends)]
        cost = 0.0
        for part in parts:
            total = sum(w[i] for i in part)
            mean = sum(w[i] * x[i] for i in part) / total
            cost += sum(w[i] * (x[i] - mean) ** 2 for i in part)
        if cost < least - 1e-12:
            best, least = parts, cost
    return best


def fit(
    values: list[float],
    weights: list[float],
    k: int,
    floor: float,
    *,
    added: bool,
    tolerance: float,
    iterations: int,
) -> Fit:
    """EM of k components; `added`: the floor is added to a variance, otherwise it is the least variance."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    scale = len(values) / sum(weights)
    x, w = [values[i] for i in order], [weights[i] * scale for i in order]

    def bounded(variance: float) -> float:
        return variance + floor if added else max(variance, floor)

    share, mean, variance = [], [], []
    for part in best_partition(x, w, k):
        total = sum(w[i] for i in part)
        m = sum(w[i] * x[i] for i in part) / total
        share.append(total / sum(w))
        mean.append(m)
        variance.append(bounded(sum(w[i] * (x[i] - m) ** 2 for i in part) / total))

    def densities() -> list[list[float]]:
        return [
            [
                p * math.exp(-((v - m) ** 2) / (2 * s)) / math.sqrt(2 * math.pi * s)
                for p, m, s in zip(share, mean, variance, strict=True)
            ]
            for v in x
        ]

    before = -math.inf
    for _ in range(iterations):
        density = densities()
        likelihood = sum(wi * math.log(sum(d)) for wi, d in zip(w, density, strict=True)) / sum(w)
        for j in range(k):
            r = [wi * d[j] / sum(d) for wi, d in zip(w, density, strict=True)]
            share[j] = sum(r) / sum(w)
            mean[j] = sum(ri * v for ri, v in zip(r, x, strict=True)) / sum(r)
            variance[j] = bounded(sum(ri * (v - mean[j]) ** 2 for ri, v in zip(r, x, strict=True)) / sum(r))
        if abs(likelihood - before) < tolerance:
            break
        before = likelihood
    total = sum(wi * math.log(sum(d)) for wi, d in zip(w, densities(), strict=True))
    return Fit(share, mean, variance, total)


def compat(values: list[float]) -> tuple[float, int]:
    """iTED as the reference work defines it, and k*: BIC over k = 1 ... min(4, n - 1), unweighted dispersion of the means."""
    n = len(values)
    fits = [
        fit(values, [1.0] * n, k, 1e-6, added=True, tolerance=1e-3, iterations=100) for k in range(1, min(4, n - 1) + 1)
    ]
    bic = [-2 * f.log_likelihood + (3 * k - 1) * math.log(n) for k, f in enumerate(fits, start=1)]
    best = bic.index(min(bic))
    means = fits[best].means
    centre = sum(means) / len(means)
    return math.sqrt(sum((m - centre) ** 2 for m in means) / len(means)), best + 1


def weighted(
    values: list[float], weights: list[float], *, share: float = 0.1, count: float = 5, separation: float = 2.0
) -> tuple[float, int]:
    """The default: a floor relative to the variance, components that are large enough and apart, dispersion by weight."""
    n = len(values)
    mean = sum(values) / n
    floor = 1e-3 * sum((v - mean) ** 2 for v in values) / n
    found = []
    for k in range(1, min(4, n - 1) + 1):
        f = fit(values, weights, k, floor, added=False, tolerance=1e-6, iterations=200)
        parts = sorted(zip(f.means, f.variances, f.weights, strict=True))
        gaps = [math.sqrt(2) * (b[0] - a[0]) / math.sqrt(a[1] + b[1]) for a, b in pairwise(parts)]
        if all(p[2] >= share and p[2] * n >= count for p in parts) and all(gap > separation for gap in gaps):
            found.append((-2 * f.log_likelihood + (3 * k - 1) * math.log(n), k, f))
    _, k, f = min(found, key=lambda one: one[:2])
    centre = sum(p * m for p, m in zip(f.weights, f.means, strict=True))
    return math.sqrt(sum(p * (m - centre) ** 2 for p, m in zip(f.weights, f.means, strict=True))), k
