"""Transform and scale of supervoxel features, learned from the supervoxels of training patients.

A skewed feature looks like sub-populations to a mixture of Gaussians. The power of Yeo and Johnson (with the spread it is taken in) that
makes the values within patients most normal takes the skewness away; the spread over the cohort then gives every feature the same unit.

References
----------
Yeo and Johnson, Biometrika 87:954-959, 2000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENOUGH", "Scaling", "fit_scaling", "yeo_johnson"]

Array = NDArray[np.float64]
_POWERS = (-2.0, 4.0)
_SPREADS = (-4.0, 4.0)  # logarithm, in interquartile ranges
ENOUGH = 5000
"""A power, or a number of habitats, is chosen on at most about so many supervoxels: every n-th of each patient."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Five numbers a feature: (x - centre) / spread, to the power, then minus mean over scale. Spread and scale are negative together."""

    centre: Array
    spread: Array
    power: Array
    mean: Array
    scale: Array

    def apply(self, values: Array) -> Array:
        """The values (n, p) on the cohort's scale."""
        inner = (values - self.centre) / self.spread
        bent = np.column_stack([yeo_johnson(column, power) for column, power in zip(inner.T, self.power, strict=True)])
        result: Array = (bent - self.mean) / self.scale
        return result


def fit_scaling(tables: Sequence[Array]) -> Scaling:
    """Learn from one array (supervoxels, features) a patient; NaN are left out.

    A feature that is the same everywhere keeps its value: nothing can be learned of its spread.
    """
    owner = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    pooled = np.concatenate(tables)
    learned = np.array([_of_feature(column, owner) for column in pooled.T])
    return Scaling(*(np.ascontiguousarray(part) for part in learned.T))


def yeo_johnson(x: Array, power: float) -> Array:
    """The transform of Yeo and Johnson."""
    up, down = np.maximum(x, 0), np.maximum(-x, 0)
    above = np.log1p(up) if abs(power) < 1e-12 else np.expm1(power * np.log1p(up)) / power
    rest = 2 - power
    below = np.log1p(down) if abs(rest) < 1e-12 else np.expm1(rest * np.log1p(down)) / rest
    return np.asarray(np.where(np.isnan(x), np.nan, above - below))


def _of_feature(column: Array, owner: NDArray[np.intp]) -> tuple[float, float, float, float, float]:
    present = np.isfinite(column)
    x, whose = column[present], owner[present]
    if x.size < 2 or np.ptp(x) == 0:
        return (float(x[0]) if x.size else 0.0), 1.0, 1.0, 0.0, 1.0
    low, middle, high = np.percentile(x, [25, 50, 75])
    width = float(high - low) or float(x.std())
    # measured from the end of the short tail: only then can the power bend a log-normal (or mirrored) sample to a normal one
    upright = x.mean() >= middle
    centre = float(x.min() if upright else x.max())
    step = -(-x.size // ENOUGH)
    spread, power = _likeliest((x[::step] - centre) / (width if upright else -width), whose[::step])
    spread *= width if upright else -width
    bent = yeo_johnson((x - centre) / spread, power)
    scale = float(bent.std()) or 1.0
    return centre, spread, power, float(bent.mean()), scale if upright else -scale


def _likeliest(x: Array, owner: NDArray[np.intp]) -> tuple[float, float]:
    """Spread and power under which every patient's values are most likely normal, with a mean and variance of his own."""
    from scipy.optimize import minimize

    _, owner = np.unique(owner, return_inverse=True)
    n = np.bincount(owner).astype(np.float64)

    def unlikely(given: Array) -> float:
        logarithm, power = (float(np.clip(g, *limits)) for g, limits in zip(given, (_SPREADS, _POWERS), strict=True))
        outside = abs(given[0] - logarithm) + abs(given[1] - power)
        z = x / np.exp(logarithm)
        bent = yeo_johnson(z, power)
        mean = np.bincount(owner, bent) / n
        variance = np.bincount(owner, (bent - mean[owner]) ** 2) / n
        varies = variance > 0
        jacobian = (power - 1) * float((np.sign(z) * np.log1p(np.abs(z)))[varies[owner]].sum())
        fit = float((n[varies] * np.log(variance[varies])).sum() / 2) + float(n[varies].sum()) * logarithm - jacobian
        return fit + x.size * outside

    start = np.array([[0.0, 1.0], [0.0, 0.0], [-1.0, 0.5]])
    found = minimize(
        unlikely,
        start[0],
        method="Nelder-Mead",
        options={"initial_simplex": start, "xatol": 1e-3, "fatol": 1e-3, "maxiter": 200},
    )
    logarithm, power = np.clip(found.x, *np.transpose([_SPREADS, _POWERS]))
    return float(np.exp(logarithm)), float(power)
