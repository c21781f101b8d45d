"""What a number of patients supports: sample size for developing and for validating a prediction model.

Riley et al., Stat Med 2019;38:1276 (binary and survival) and BMJ 2020;368:m441: enough patients that (1) the coefficients
shrink by no more than 10 %, (2) the apparent R2 exceeds the true one by no more than 0.05 of its largest value, (3) the overall
risk is known within 0.05. R2 from an anticipated AUC by the equal-variance binormal model with deterministic quadrature.
External validation: Riley et al., Stat Med 2021;40:4230. AUC against 0.5: Obuchowski and McClish, Stat Med 1997;16:1529.

A parameter is a coefficient that could have entered the model: every candidate, not only those selected.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special, stats

from isthmus.errors import PlanError
from isthmus.stats.likelihood_indexes import largest_r2

__all__ = [
    "SHRINKAGE",
    "SampleSize",
    "auc_power",
    "auc_standard_error",
    "patients_for_binary",
    "patients_for_survival",
    "r2_from_auc",
    "supported_parameters",
    "validation_precision",
]

SHRINKAGE = 0.9
"""Expected uniform shrinkage of the coefficients that is still accepted."""

_OPTIMISM = 0.05  # of the largest R2
_MARGIN = 0.05  # of the overall risk
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class SampleSize:
    """Patients each criterion asks for, the largest of them, and what it was computed from."""

    shrinkage: int
    optimism: int
    overall_risk: int
    r2: float
    largest_r2: float
    parameters: int
    expected_shrinkage: float  # where criterion 2 alone is met

    @property
    def patients(self) -> int:
        """The number that meets all three criteria."""
        return max(self.shrinkage, self.optimism, self.overall_risk)


@lru_cache(maxsize=64)
def r2_from_auc(auc: float, prevalence: float) -> float:
    """Cox-Snell R2 of a well-calibrated model with this AUC at this prevalence (equal-variance binormal).

    The linear predictor is normal in both classes, a distance sqrt(2) Phi^-1(AUC) apart.
    """
    _check_auc(auc)
    _check_share("prevalence", prevalence)
    distance = np.sqrt(2) * stats.norm.ppf(auc)
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    offset = special.logit(prevalence) - distance**2 / 2
    with_event = -np.logaddexp(0, -(offset + distance * (nodes + distance)))
    without = -np.logaddexp(0, offset + distance * nodes)
    log_likelihood = prevalence * weights @ with_event + (1 - prevalence) * weights @ without
    null = prevalence * np.log(prevalence) + (1 - prevalence) * np.log1p(-prevalence)
    return float(-np.expm1(-2 * (log_likelihood - null)))


def _for_shrinkage(r2: float, parameters: float, shrinkage: float) -> float:
    return float(parameters / ((shrinkage - 1) * np.log1p(-r2 / shrinkage)))


def _optimism_shrinkage(r2: float, largest: float) -> float:
    return r2 / (r2 + _OPTIMISM * largest)


def patients_for_binary(r2: float, prevalence: float, parameters: int) -> SampleSize:
    """Patients needed to develop a model of a binary outcome.

    Parameters
    ----------
    r2 : float
        Anticipated Cox-Snell R2 (`r2_from_auc`).
    prevalence : float
        Anticipated share of events.
    parameters : int
        Candidate parameters, before any selection.
    """
    _check_share("prevalence", prevalence)
    largest = largest_r2(prevalence)
    _check_r2(r2, largest)
    second = _optimism_shrinkage(r2, largest)
    overall = (_Z / _MARGIN) ** 2 * prevalence * (1 - prevalence)
    return SampleSize(
        int(np.ceil(_for_shrinkage(r2, parameters, SHRINKAGE))),
        int(np.ceil(_for_shrinkage(r2, parameters, second))),
        int(np.ceil(overall)),
        r2, largest, parameters, second,
    )  # fmt: skip


def patients_for_survival(
    r2: float, parameters: int, *, rate: float, horizon: float, mean_follow_up: float
) -> SampleSize:
    """Patients needed to develop a model of a survival outcome.

    Parameters
    ----------
    r2 : float
        Anticipated Cox-Snell R2.
    parameters : int
    rate : float
        Events per patient and unit of time.
    horizon, mean_follow_up : float
        Time of the prediction, mean follow-up; same unit.
    """
    _check_share("events per patient (rate x mean follow-up)", rate * mean_follow_up)
    events = rate * mean_follow_up
    largest = float(-np.expm1(2 * (events * np.log(events) - events)))
    _check_r2(r2, largest)
    second = _optimism_shrinkage(r2, largest)
    wide = _Z * np.sqrt(rate / mean_follow_up)  # half width of the rate's interval, times sqrt(n)

    def margin(n: int) -> float:
        low, high = (1 - np.exp(-max(0.0, rate + side * wide / np.sqrt(n)) * horizon) for side in (-1, 1))
        risk = 1 - np.exp(-rate * horizon)
        return float(max(risk - low, high - risk))

    overall = 1
    while margin(overall) > _MARGIN:
        overall *= 2
    lowest = overall // 2
    while overall - lowest > 1:
        middle = (lowest + overall) // 2
        lowest, overall = (middle, overall) if margin(middle) > _MARGIN else (lowest, middle)
    return SampleSize(
        int(np.ceil(_for_shrinkage(r2, parameters, SHRINKAGE))),
        int(np.ceil(_for_shrinkage(r2, parameters, second))),
        overall, r2, largest, parameters, second,
    )  # fmt: skip


def supported_parameters(n: int, prevalence: float, auc: float) -> int:
    """Candidate parameters that `n` patients support at this anticipated AUC: the largest number within criteria 1 and 2."""
    if n <= 0 or auc <= 0.5:
        return 0
    r2 = r2_from_auc(auc, prevalence)
    second = _optimism_shrinkage(r2, largest_r2(prevalence))
    return int(min(n / _for_shrinkage(r2, 1, s) for s in (SHRINKAGE, second)) + 1e-9)


def _binormal_variance(auc: float, events: int, nonevents: int) -> float:
    """Variance of an AUC to be expected (Obuchowski and McClish 1997, equal variances)."""
    a = stats.norm.ppf(auc) * 1.414
    ratio = nonevents / events
    return float(0.0099 * np.exp(-(a**2) / 2) * ((5 * a**2 + 8) + (a**2 + 8) / ratio) / events)


def auc_power(auc: float, events: int, nonevents: int, alpha: float = 0.05) -> float:
    """Power to find that an AUC exceeds 0.5 (two-sided test at `alpha`)."""
    under_null = 0.0792 * (1 + events / nonevents) / events
    z = (auc - 0.5 - stats.norm.isf(alpha / 2) * np.sqrt(under_null)) / np.sqrt(
        _binormal_variance(auc, events, nonevents)
    )
    return float(stats.norm.cdf(z))


def auc_standard_error(auc: float, events: int, nonevents: int) -> float:
    """Standard error of an AUC to be expected (Hanley and McNeil, Radiology 1982;143:29; Newcombe's symmetric form)."""
    mean = (events + nonevents) / 2 - 1
    tail = mean * (1 - auc) / (2 - auc) + mean * auc / (1 + auc)
    return float(np.sqrt(auc * (1 - auc) * (1 + tail) / (events * nonevents)))


def validation_precision(auc: float, events: int, nonevents: int, confidence: float = 0.95) -> dict[str, float]:
    """How wide the intervals of an external validation will be, for a well-calibrated model.

    Returns
    -------
    dict
        auc: width of the interval of the AUC; o_e: ratio of its upper to its lower limit for observed / expected; slope:
        width of the interval of the calibration slope (Fisher information of the binormal linear predictor).
    """
    n, z = events + nonevents, float(stats.norm.ppf(0.5 + confidence / 2))
    prevalence = events / n
    distance = np.sqrt(2) * stats.norm.ppf(auc)
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()
    offset = special.logit(prevalence) - distance**2 / 2
    information = np.zeros((2, 2))
    for share, centre in ((prevalence, distance), (1 - prevalence, 0.0)):
        lp = offset + distance * (nodes + centre)
        p = special.expit(lp)
        w = share * weights * p * (1 - p)
        information += np.array([[w.sum(), w @ lp], [w @ lp, w @ lp**2]])
    slope = np.sqrt(np.linalg.inv(information * n)[1, 1]) if auc > 0.5 else np.inf
    return {
        "auc": 2 * z * auc_standard_error(auc, events, nonevents),
        "o_e": float(np.exp(2 * z * np.sqrt((1 - prevalence) / events))),
        "slope": float(2 * z * slope),
    }


def _check_auc(auc: float) -> None:
    if not 0.5 <= auc < 1:
        raise PlanError(f"anticipated AUC {auc}: expected at least 0.5 and below 1")


def _check_share(what: str, value: float) -> None:
    if not 0 < value < 1:
        raise PlanError(f"{what} {value}: expected a share between 0 and 1")


def _check_r2(r2: float, largest: float) -> None:
    if not 0 < r2 < largest:
        raise PlanError(f"anticipated R2 {r2}: expected a number between 0 and its largest value, {largest:.3f}")
