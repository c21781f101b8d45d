"""One number from several centres: random-effects summary with the range to expect in a new centre.

DerSimonian-Laird is known to be too sure with few centres; here the variance between centres is the restricted maximum
likelihood one, the interval Hartung and Knapp's (Stat Med 2001;20:3875), and the prediction interval has k - 2 degrees of
freedom (Higgins, Thompson and Spiegelhalter, J R Stat Soc A 2009;172:137).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.interval import Interval

__all__ = ["RandomEffects", "random_effects"]

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """Mean over centres with its interval, the interval for a new centre, and how much the centres differ."""

    mean: Interval
    prediction: Interval
    tau2: float  # variance between centres
    i2: float  # share of the total variance that lies between centres
    q: float  # Cochran's Q
    p_heterogeneity: float
    n: int


def random_effects(estimates: ArrayLike, variances: ArrayLike, *, confidence: float = 0.95) -> RandomEffects:
    """Summarise the estimates of several centres (on a scale where they are about normal, such as logit AUC).

    Parameters
    ----------
    estimates, variances : arrays of shape (k,)
        Centres without a finite estimate and a positive variance are left out.

    Raises
    ------
    TableError
        Fewer than two centres remain.
    """
    y, v = (np.asarray(values, dtype=np.float64) for values in (estimates, variances))
    usable = np.isfinite(y) & np.isfinite(v) & (v > 0)
    y, v = y[usable], v[usable]
    k = y.size
    if k < 2:
        raise TableError(f"{k} of {usable.size} centres have an estimate with a variance; a summary needs two")
    tau2 = _reml(y, v)
    w = 1 / (v + tau2)
    mean = float(w @ y / w.sum())
    scale = float((w * (y - mean) ** 2).sum() / (k - 1))
    se = float(np.sqrt(scale / w.sum()))
    half = float(stats.t.ppf(0.5 + confidence / 2, k - 1)) * se
    method = f"random effects over {k} centres, REML, Hartung-Knapp"
    summary = Interval(mean, mean - half, mean + half, method)
    if k < 3:
        ahead = Interval(mean, _NAN, _NAN, "no prediction interval: fewer than three centres")
    else:
        wide = float(stats.t.ppf(0.5 + confidence / 2, k - 2)) * float(np.sqrt(tau2 + se**2))
        ahead = Interval(mean, mean - wide, mean + wide, f"prediction interval for a new centre, {k} centres")
    fixed = 1 / v
    centre = float(fixed @ y / fixed.sum())
    q = float((fixed * (y - centre) ** 2).sum())
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    return RandomEffects(summary, ahead, tau2, tau2 / (tau2 + float(typical)), q, float(stats.chi2.sf(q, k - 1)), k)


def _reml(y: Array, v: Array) -> float:
    """Variance between centres that maximises the restricted likelihood, not below 0."""

    def loss(tau2: float) -> float:
        w = 1 / (v + tau2)
        mean = w @ y / w.sum()
        return float(np.log(v + tau2).sum() + np.log(w.sum()) + (w * (y - mean) ** 2).sum()) / 2

    highest = 10 * float(y.var(ddof=1)) + float(v.max())
    found = optimize.minimize_scalar(
        loss, bounds=(0.0, highest), method="bounded", options={"xatol": 1e-12 * max(1.0, highest)}
    )
    return 0.0 if loss(0.0) <= found.fun else float(found.x)
