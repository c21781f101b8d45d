"""Do predicted risks mean what they say? Calibration, and overall accuracy of probabilities.

Slope and intercept: Cox, Biometrika 1958;45:562; Van Calster et al., J Clin Epidemiol 2016;74:167. ICI and its
relatives: Austin and Steyerberg, Stat Med 2019;38:4051. Probabilities are moved into [1e-12, 1 - 1e-12] before logits
are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from isthmus.stats.binary import Array, check_probabilities
from isthmus.stats.classification import proportion_interval
from isthmus.stats.comparison import Comparison
from isthmus.stats.interval import Interval

__all__ = [
    "CalibrationErrors",
    "CalibrationLine",
    "brier",
    "calibration_curve",
    "calibration_distances",
    "calibration_errors",
    "calibration_groups",
    "calibration_in_the_large",
    "calibration_line",
    "calibration_slope",
    "hosmer_lemeshow",
    "linear_predictor",
    "log_loss",
    "observed_expected",
    "scaled_brier",
    "smoother_for",
    "weighted_in_the_large",
    "weighted_slope",
]

_NAN = float("nan")
EDGE = 1e-12
_FEW_DISTINCT = 30  # a loess through fewer distinct predictions than this is decoration

Smoother = Literal["loess", "grouped"]


@dataclass(frozen=True, slots=True)
class CalibrationErrors:
    """Distance between predicted and smoothed observed risk: mean (ICI), median, 90th percentile, largest."""

    ici: float
    e50: float
    e90: float
    emax: float
    method: str


def linear_predictor(probability: ArrayLike) -> tuple[Array, int]:
    """Logit of the probabilities, and how many had to be moved off 0 or 1 first."""
    p = np.asarray(probability, dtype=np.float64)
    clipped = np.clip(p, EDGE, 1 - EDGE)
    return special.logit(clipped), int((clipped != p).sum())


# ---- slope and intercept ------------------------------------------------------------------------------------------


def weighted_slope(lp: Array, event: NDArray[np.bool_], weights: Array) -> tuple[Array, Array]:
    """Calibration slope and joint intercept under many sets of patient weights at once.

    `weights` has shape (draws, n). Returns two arrays of shape (draws,), NaN where no finite solution exists.
    """
    centre, scale = float(lp.mean()), float(lp.std())
    w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if scale <= 1e-12:
        return np.full(len(w), _NAN), np.full(len(w), _NAN)
    z = (lp - centre) / scale
    # the solution of the unweighted rows is where every draw starts
    start = _two_parameter_logit(z, event, np.ones((1, lp.size)), np.full((1, 2), _NAN))
    b0, b1 = _two_parameter_logit(z, event, w, np.broadcast_to(np.column_stack(start), (len(w), 2)))
    slope = b1 / scale
    return slope, b0 - slope * centre


def _two_parameter_logit(z: Array, event: NDArray[np.bool_], w: Array, start: Array) -> tuple[Array, Array]:
    """Newton steps of `event ~ 1 + z` for all rows of `w` together; the steps are shortened so that none overshoots."""
    n_draws = len(w)
    b0, b1 = np.full(n_draws, _NAN), np.full(n_draws, _NAN)
    share = (w @ event) / np.maximum(w.sum(axis=1), 1)
    active = np.flatnonzero((share > 0) & (share < 1))
    beta = np.zeros((n_draws, 2))
    beta[active, 0] = special.logit(share[active])
    beta = np.where(np.isfinite(start), start, beta)
    for _ in range(60):
        if not active.size:
            break
        b, wa = beta[active], w[active]
        p = special.expit(b[:, :1] + b[:, 1:] * z)
        residual = wa * (event - p)
        v = wa * p * (1 - p)
        g0, g1 = residual.sum(axis=1), residual @ z
        h00, h01, h11 = v.sum(axis=1), v @ z, v @ z**2
        det = h00 * h11 - h01**2
        solvable = det > 1e-10 * np.maximum(h00 * h11, 1e-300)
        solvable &= h00 > 1e-8
        det = np.where(solvable, det, 1.0)
        step = np.column_stack([(h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det])
        longest = np.abs(step).max(axis=1)
        step *= np.minimum(1.0, 2.0 / np.maximum(longest, 1e-300))[:, None]
        beta[active] = b + step
        done = solvable & (longest < 1e-7)  # Newton: the error left is of the order of its square
        finished = active[done]
        b0[finished], b1[finished] = beta[finished, 0], beta[finished, 1]
        active = active[solvable & ~done]
    return b0, b1


def calibration_slope(y: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> tuple[Interval, Interval]:
    """Calibration slope and (joint) intercept: logistic regression of the outcome on logit(p), Wald intervals.

    A slope of 1 and an intercept of 0 are ideal; a slope below 1 means risks too extreme (overfitting). Both are NaN,
    with the reason, for one class, constant predictions, or predictions that separate the classes.
    """
    line = calibration_line(y, probability)
    if isinstance(line, str):
        missing = Interval(_NAN, _NAN, _NAN, line)
        return missing, missing
    clipped = linear_predictor(probability)[1]
    note = f"; {clipped} predictions of exactly 0 or 1 moved by 1e-12" if clipped else ""
    method = f"logistic recalibration, Wald{note}"
    z = stats.norm.ppf(0.5 + confidence / 2)
    se0, se1 = np.sqrt(line.covariance[0]), np.sqrt(line.covariance[2])
    return (
        Interval(line.slope, float(line.slope - z * se1), float(line.slope + z * se1), method),
        Interval(line.intercept, float(line.intercept - z * se0), float(line.intercept + z * se0), method),
    )


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """How often the event came, by the predicted risk: logit(observed) = intercept + slope logit(predicted), and how certain that is.

    `covariance`: variance of the intercept, covariance, variance of the slope. `n`, `events`: of the patients it comes from.
    """

    intercept: float
    slope: float
    covariance: tuple[float, float, float]
    n: int
    events: int

    def at(self, probability: float, confidence: float = 0.95) -> Interval:
        """The share of patients of this predicted risk in whom the event came, with its limits (of the mean, by the delta method)."""
        lp = float(linear_predictor(probability)[0])
        v0, v01, v1 = self.covariance
        middle = self.intercept + self.slope * lp
        half = float(stats.norm.ppf(0.5 + confidence / 2)) * float(np.sqrt(max(v0 + 2 * lp * v01 + lp * lp * v1, 0.0)))
        low, mid, high = (float(special.expit(value)) for value in (middle - half, middle, middle + half))
        return Interval(
            mid, low, high, f"logistic recalibration on {self.n} patients, {self.events} with the event; delta method"
        )


def calibration_line(y: ArrayLike, probability: ArrayLike) -> CalibrationLine | str:
    """The logistic recalibration of the outcome on logit(p); or why there is none (one class, constant or separating predictions)."""
    event, p = check_probabilities(y, probability)
    lp, _ = linear_predictor(p)
    reason = _no_slope(event, lp)
    (slope,), (intercept,) = weighted_slope(lp, event, np.ones((1, lp.size))) if not reason else ((_NAN,), (_NAN,))
    if not reason and np.isnan(slope):
        reason = "not computed: the logistic fit has no finite solution"
    if reason:
        return reason
    fitted = special.expit(intercept + slope * lp)
    v = fitted * (1 - fitted)
    design = np.column_stack([np.ones_like(lp), lp])
    c = np.linalg.inv((design * v[:, None]).T @ design)
    covariance = (float(c[0, 0]), float(c[0, 1]), float(c[1, 1]))
    return CalibrationLine(float(intercept), float(slope), covariance, int(event.size), int(event.sum()))


def _no_slope(event: NDArray[np.bool_], lp: Array) -> str:
    """Why there is no calibration slope, or nothing."""
    if not 0 < event.sum() < event.size:
        return "not computed: only one class"
    if np.ptp(lp) <= 1e-12:
        return "not computed: all predictions are the same"
    above, below = lp[event], lp[~event]
    if above.min() >= below.max() or below.min() >= above.max():
        return "not computed: the predictions separate the classes, so the slope is infinite"
    return ""


def weighted_in_the_large(lp: Array, event: NDArray[np.bool_], weights: Array) -> Array:
    """Calibration in the large under many sets of patient weights at once; shape (draws,)."""
    w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    total = w @ event
    size = w.sum(axis=1)
    value = np.full(len(w), _NAN)
    active = np.flatnonzero((total > 0) & (total < size))
    shift = np.zeros(len(w))
    for _ in range(100):
        if not active.size:
            break
        p = special.expit(shift[active, None] + lp)
        slope = (w[active] * p * (1 - p)).sum(axis=1)
        step = np.clip((total[active] - (w[active] * p).sum(axis=1)) / np.maximum(slope, 1e-12), -2, 2)
        shift[active] += step
        done = np.abs(step) < 1e-8
        value[active[done]] = shift[active[done]]
        active = active[~done]
    return value


def calibration_in_the_large(y: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Interval:
    """Shift on the logit scale by which predictions are too low (above 0) or too high (below 0); Wald interval."""
    event, p = check_probabilities(y, probability)
    lp, _ = linear_predictor(p)
    shift = float(weighted_in_the_large(lp, event, np.ones((1, lp.size)))[0])
    if np.isnan(shift):
        one_class = not 0 < event.sum() < event.size
        reason = "only one class" if one_class else "the logistic fit has no finite solution"
        return Interval(_NAN, _NAN, _NAN, f"not computed: {reason}")
    fitted = special.expit(shift + lp)
    half = stats.norm.ppf(0.5 + confidence / 2) / np.sqrt((fitted * (1 - fitted)).sum())
    return Interval(shift, float(shift - half), float(shift + half), "logistic, slope fixed at 1, Wald")


def observed_expected(y: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Interval:
    """Observed over expected number of events; interval on the log scale (Debray et al., BMJ 2017;356:i6460)."""
    event, p = check_probabilities(y, probability)
    observed, expected = float(event.sum()), float(p.sum())
    if observed == 0 or expected == 0:
        return Interval(_NAN, _NAN, _NAN, "not computed: no events observed or none expected")
    ratio = observed / expected
    half = stats.norm.ppf(0.5 + confidence / 2) * np.sqrt((1 - event.mean()) / observed)
    return Interval(ratio, float(ratio * np.exp(-half)), float(ratio * np.exp(half)), "log scale, binomial variance")


# ---- smoothed calibration -----------------------------------------------------------------------------------------


def smoother_for(probability: ArrayLike) -> Smoother:
    """Which smoother these predictions can carry: loess, or groups when there are fewer than 30 distinct values."""
    return "loess" if np.unique(np.asarray(probability)).size >= _FEW_DISTINCT else "grouped"


def calibration_errors(y: ArrayLike, probability: ArrayLike, *, smoother: Smoother | None = None) -> CalibrationErrors:
    """Integrated calibration index and E50, E90, Emax: |predicted - smoothed observed risk| over the patients.

    Parameters
    ----------
    y, probability : arrays of shape (n,)
    smoother : {"loess", "grouped"}, optional
        Loess of the outcome on the probability, span 0.75, degree 2 (R's `loess` defaults); or the event share within
        groups of equal size. Default: `smoother_for(probability)`.

    Returns
    -------
    CalibrationErrors
        NaN, with the reason, with one class or when the smoother fails.
    """
    event, p = check_probabilities(y, probability)
    if not 0 < event.sum() < event.size:
        return CalibrationErrors(_NAN, _NAN, _NAN, _NAN, "not computed: only one class")
    distance, method = calibration_distances(event, p, smoother or smoother_for(p))
    if not distance.size:
        return CalibrationErrors(_NAN, _NAN, _NAN, _NAN, f"not computed: {method} is singular on these predictions")
    e50, e90 = np.quantile(distance, [0.5, 0.9])
    return CalibrationErrors(float(distance.mean()), float(e50), float(e90), float(distance.max()), method)


def calibration_distances(event: NDArray[np.bool_], p: Array, smoother: Smoother) -> tuple[Array, str]:
    """|predicted - smoothed observed risk| of each patient, and how it was smoothed; empty where loess is singular.

    For inner loops: nothing is checked.
    """
    if smoother == "loess":
        smoothed = _loess(p, event)
        return (np.empty(0) if smoothed is None else np.abs(p - smoothed)), "loess, span 0.75, degree 2"
    group = _equal_groups(p, _n_groups(p.size))
    size = np.bincount(group)
    distance = np.abs(np.bincount(group, p) / size - np.bincount(group, event) / size)[group]
    return distance, f"{size.size} groups (too few distinct predictions for loess)"


def _n_groups(n: int) -> int:
    """Ten groups, fewer where that would leave less than ten patients in each; at least two."""
    return max(2, min(10, n // 10))


def _loess(p: Array, event: NDArray[np.bool_]) -> Array | None:
    """Smoothed outcome at each p, or None where the local fits are singular."""
    from skmisc.loess import loess

    try:
        model = loess(p, event.astype(np.float64), span=0.75, degree=2)
        model.fit()
    except ValueError:
        return None
    fitted = np.asarray(model.outputs.fitted_values, dtype=np.float64)
    return fitted if np.isfinite(fitted).all() else None


def _equal_groups(p: Array, groups: int) -> NDArray[np.intp]:
    """Group of each patient: right-closed cuts at the quantiles of p, equal cuts merged; numbered without gaps."""
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, groups + 1)))
    place = np.searchsorted(cuts[1:-1], p, side="left") if cuts.size > 2 else np.zeros(p.size, dtype=np.intp)
    return np.unique(place, return_inverse=True)[1]


def calibration_curve(
    y: ArrayLike, probability: ArrayLike, *, confidence: float = 0.95, points: int = 100
) -> pd.DataFrame:
    """Smoothed observed risk along the predicted risk, with a pointwise band, for the figure.

    Returns
    -------
    DataFrame
        predicted, observed, lower, upper (within [0, 1]). Empty where loess cannot be drawn (fewer than 30 distinct
        predictions, one class, singular): show `calibration_groups` alone then.
    """
    from skmisc.loess import loess

    event, p = check_probabilities(y, probability)
    nothing = pd.DataFrame({name: np.array([]) for name in ("predicted", "observed", "lower", "upper")})
    if smoother_for(p) == "grouped" or not 0 < event.sum() < event.size:
        return nothing
    grid = np.linspace(p.min(), p.max(), points)
    try:
        model = loess(p, event.astype(np.float64), span=0.75, degree=2)
        model.fit()
        predicted = model.predict(grid, stderror=True)
        band = predicted.confidence(1 - confidence)
    except ValueError:
        return nothing
    values = {"observed": predicted.values, "lower": band.lower, "upper": band.upper}
    return pd.DataFrame({"predicted": grid} | {k: np.clip(v, 0, 1) for k, v in values.items()})


def calibration_groups(
    y: ArrayLike, probability: ArrayLike, *, groups: int | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Mean predicted and observed risk in groups of equal size, with Wilson intervals: the points of the figure.

    Returns
    -------
    DataFrame
        predicted, observed, lower, upper, n; one row per group (ten, fewer for small samples or tied predictions).
    """
    event, p = check_probabilities(y, probability)
    if not p.size:
        return pd.DataFrame({k: np.array([]) for k in ("predicted", "observed", "lower", "upper", "n")})
    group = _equal_groups(p, groups or _n_groups(p.size))
    size = np.bincount(group)
    events = np.bincount(group, event)
    shares = [proportion_interval(float(e), float(n), confidence) for e, n in zip(events, size, strict=True)]
    return pd.DataFrame(
        {
            "predicted": np.bincount(group, p) / size,
            "observed": events / size,
            "lower": [s.lower for s in shares],
            "upper": [s.upper for s in shares],
            "n": size,
        }
    )


def hosmer_lemeshow(y: ArrayLike, probability: ArrayLike, *, groups: int = 10, external: bool = False) -> Comparison:
    """Hosmer-Lemeshow test over groups of predicted risk.

    Low power in small samples and dependent on the grouping: never the only evidence of calibration.

    Parameters
    ----------
    groups : int
        Groups cut at the quantiles (R's type 7) of the probability, right-closed; equal cuts are merged.
    external : bool
        Degrees of freedom: groups - 2 on development data, groups on patients the model did not see.
    """
    event, p = check_probabilities(y, probability)
    method = "Hosmer-Lemeshow"
    if not 0 < event.sum() < event.size:
        return Comparison(_NAN, _NAN, f"{method}; not computed: only one class")
    group = _equal_groups(p, groups)
    size = np.bincount(group)
    df = size.size if external else size.size - 2
    expected = np.bincount(group, p)
    variance = expected * (1 - expected / size)
    if df < 1 or (variance <= 0).any():
        why = "too few groups" if df < 1 else "a group is predicted to have no or only events"
        return Comparison(_NAN, _NAN, f"{method}; not computed: {why}")
    chi2 = float(((np.bincount(group, event) - expected) ** 2 / variance).sum())
    return Comparison(chi2, float(stats.chi2.sf(chi2, df)), f"{method}, {size.size} groups", float(df))


# ---- overall ------------------------------------------------------------------------------------------------------


def brier(y: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared distance between probability and outcome (0 is perfect); NaN without patients."""
    event, p = check_probabilities(y, probability)
    return float(np.mean((p - event) ** 2)) if p.size else _NAN


def scaled_brier(y: ArrayLike, probability: ArrayLike) -> float:
    """1 - Brier / Brier of the prevalence (1 is perfect, 0 no better than the prevalence); NaN with one class."""
    event, _ = check_probabilities(y, probability)
    if not 0 < event.sum() < event.size:
        return _NAN
    share = float(event.mean())
    return 1 - brier(y, probability) / (share * (1 - share))


def log_loss(y: ArrayLike, probability: ArrayLike) -> float:
    """Mean negative log-likelihood of the outcomes, probabilities kept 1e-12 off 0 and 1; NaN without patients."""
    event, p = check_probabilities(y, probability)
    if not p.size:
        return _NAN
    inside = np.clip(p, EDGE, 1 - EDGE)
    return float(-np.mean(np.log(np.where(event, inside, 1 - inside))))
