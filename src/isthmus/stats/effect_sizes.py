"""How far two groups lie apart, in words that do not depend on their number: shift, dominance, association of categories.

References
----------
Hodges and Lehmann, Ann Math Stat 1963;34:598. Cliff, Psychol Bull 1993;114:494; limits by Feng and Cliff, J Mod Appl Stat Methods
2004;3:322. Cramér's V without its bias: Bergsma, J Korean Stat Soc 2013;42:323.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.bootstrap import percentile_interval
from isthmus.stats.interval import Interval

__all__ = ["cliffs_delta", "cliffs_delta_bootstrap", "cramers_v", "hodges_lehmann"]

_NAN = float("nan")


def _two(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    x, z = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return x[~np.isnan(x)], z[~np.isnan(z)]


def hodges_lehmann(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Interval:
    """Median of all differences a - b, with limits from the rank-sum test (normal, corrected for ties); missing values left out."""
    x, z = _two(a, b)
    if not min(x.size, z.size):
        return Interval(_NAN, _NAN, _NAN, "Hodges-Lehmann; not computed: an empty group")
    differences = np.sort(np.subtract.outer(x, z).ravel())
    estimate = float(np.median(differences))
    n = x.size + z.size
    _, ties = np.unique(np.concatenate([x, z]), return_counts=True)
    variance = x.size * z.size / 12 * (n + 1 - (ties**3 - ties).sum() / max(n * (n - 1), 1))
    reach = stats.norm.ppf(0.5 + confidence / 2) * np.sqrt(variance)
    low = int(np.floor(x.size * z.size / 2 - reach - 0.5))
    if low < 0 or variance <= 0:
        return Interval(estimate, _NAN, _NAN, "Hodges-Lehmann; no interval: too few values")
    return Interval(estimate, float(differences[low]), float(differences[-1 - low]), "Hodges-Lehmann, rank-sum limits")


def cliffs_delta(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Interval:
    """P(a > b) - P(a < b), from -1 to 1; missing values left out.

    Limits by Feng and Cliff's asymmetric formula; where the groups do not overlap, from the smaller group alone.
    """
    x, z = _two(a, b)
    if not min(x.size, z.size):
        return Interval(_NAN, _NAN, _NAN, "Cliff's delta; not computed: an empty group")
    sign = np.sign(np.subtract.outer(x, z))
    d = float(sign.mean())
    method = "Cliff's delta, Feng and Cliff"
    if min(x.size, z.size) < 2:
        return Interval(d, _NAN, _NAN, f"{method}; no interval: a group of one")
    cut = float(stats.t.ppf(0.5 + confidence / 2, x.size + z.size - 2))
    if abs(d) == 1:
        least = min(x.size, z.size)
        end = (least - cut**2) / (least + cut**2)
        return Interval(d, end if d > 0 else -1.0, 1.0 if d > 0 else -end, f"{method}; no overlap")
    rows, columns = ((sign.mean(axis=1) - d) ** 2).sum(), ((sign.mean(axis=0) - d) ** 2).sum()
    m, n = x.size, z.size
    each = ((sign - d) ** 2).sum()
    variance = (n**2 * rows + m**2 * columns - each) / (m * n * (m - 1) * (n - 1))
    variance = max(float(variance), (1 - d**2) / (m * n - 1))
    half = cut * np.sqrt(variance * ((1 - d**2) ** 2 + cut**2 * variance))
    under = 1 - d**2 + cut**2 * variance
    low, high = (d - d**3 - half) / under, (d - d**3 + half) / under
    return Interval(d, max(float(low), -1.0), min(float(high), 1.0), method)


def cliffs_delta_bootstrap(
    a: ArrayLike, b: ArrayLike, *, rng: np.random.Generator, draws: int = 2000, confidence: float = 0.95
) -> Interval:
    """Cliff's delta with percentile limits of a bootstrap that draws each group's patients apart."""
    x, z = _two(a, b)
    if not min(x.size, z.size):
        return Interval(_NAN, _NAN, _NAN, "Cliff's delta; not computed: an empty group")
    sign = np.sign(np.subtract.outer(x, z))
    left = rng.multinomial(x.size, np.full(x.size, 1 / x.size), size=draws) / x.size
    right = rng.multinomial(z.size, np.full(z.size, 1 / z.size), size=draws) / z.size
    drawn = ((left @ sign) * right).sum(axis=1)
    return percentile_interval(float(sign.mean()), drawn, confidence, "Cliff's delta, bootstrap over patients by group")


def cramers_v(table: ArrayLike) -> float:
    """Association of two categories, 0 to 1, corrected for the bias of few patients; NaN with fewer than two of either."""
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or (counts < 0).any():
        raise TableError(f"expected a two-way table of counts; got shape {counts.shape}")
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape, default=0) < 2:
        return _NAN
    n = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    r, k = counts.shape
    phi = ((counts - expected) ** 2 / expected).sum() / n
    phi = max(0.0, phi - (k - 1) * (r - 1) / (n - 1))
    return float(np.sqrt(phi / min(k - (k - 1) ** 2 / (n - 1) - 1, r - (r - 1) ** 2 / (n - 1) - 1)))
