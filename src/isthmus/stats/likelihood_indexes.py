"""How much of the outcome predicted probabilities explain: indexes of the likelihood, and Spiegelhalter's test.

Nagelkerke, Biometrika 1991;78:691; Harrell, Califf et al., Stat Med 1984;3:143 (D, U, Q); Spiegelhalter, Stat Med 1986;5:421.
All judge probabilities as they stand, without recalibrating them, so they can be applied to other patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from isthmus.stats.binary import check_probabilities
from isthmus.stats.calibration import calibration_slope, linear_predictor
from isthmus.stats.comparison import Comparison

__all__ = ["LikelihoodIndexes", "largest_r2", "likelihood_indexes", "spiegelhalter"]

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class LikelihoodIndexes:
    """Indexes of the likelihood of probabilities (NaN with one class).

    r2_cox_snell, r2_nagelkerke : explained variation; negative where the prevalence alone predicts better.
    d, u, q : discrimination, unreliability (0 is good) and their difference, quality.
    likelihood_ratio, unreliability_chi2, unreliability_p : the chi-squares behind D and U (2 degrees of freedom).
    """

    r2_cox_snell: float
    r2_nagelkerke: float
    d: float
    u: float
    q: float
    likelihood_ratio: float
    unreliability_chi2: float
    unreliability_p: float


def largest_r2(prevalence: float) -> float:
    """Largest possible Cox-Snell R2 at this prevalence: 1 - (pi^pi (1 - pi)^(1 - pi))^2."""
    null = prevalence * np.log(prevalence) + (1 - prevalence) * np.log1p(-prevalence)
    return float(-np.expm1(2 * null))


def likelihood_indexes(y: ArrayLike, probability: ArrayLike) -> LikelihoodIndexes:
    """R2, D, U and Q of predicted probabilities (probabilities of exactly 0 or 1 are moved by 1e-12)."""
    event, p = check_probabilities(y, probability)
    n = event.size
    if not 0 < event.sum() < n:
        return LikelihoodIndexes(*[_NAN] * 8)
    lp, _ = linear_predictor(p)
    signed = np.where(event, -lp, lp)
    deviance = float(2 * np.logaddexp(0, signed).sum())
    share = float(event.mean())
    null = float(-2 * n * (share * np.log(share) + (1 - share) * np.log1p(-share)))
    ratio = null - deviance
    slope, intercept = calibration_slope(event, p)
    recalibrated = intercept.estimate + slope.estimate * lp
    best = float(2 * np.logaddexp(0, np.where(event, -recalibrated, recalibrated)).sum())
    miss = max(0.0, deviance - best)
    cox_snell = float(-np.expm1(-ratio / n))
    d, u = (ratio - 1) / n, (miss - 2) / n
    nagelkerke = cox_snell / largest_r2(share)
    return LikelihoodIndexes(cox_snell, nagelkerke, d, u, d - u, ratio, miss, float(stats.chi2.sf(miss, 2)))


def spiegelhalter(y: ArrayLike, probability: ArrayLike) -> Comparison:
    """Is the Brier score what these probabilities would give if they were true? (Spiegelhalter's z, two-sided)"""
    event, p = check_probabilities(y, probability)
    name = "Spiegelhalter's test"
    variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    if variance <= 0:
        return Comparison(_NAN, _NAN, f"{name}; not computed: the expected Brier score has no variance")
    z = float(((event - p) * (1 - 2 * p)).sum() / np.sqrt(variance))
    return Comparison(z, float(2 * stats.norm.sf(abs(z))), name)
