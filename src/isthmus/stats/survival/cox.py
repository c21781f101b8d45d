"""Cox regression: coefficients with their errors, the baseline hazard, and a test of proportional hazards.

Cox, J R Stat Soc B 1972;34:187; ties by Efron (1977) or Breslow (1974). The proportional-hazards test is the score test of
Grambsch and Therneau, Biometrika 1994;81:515, in the exact form R's `cox.zph` has since survival 3.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison
from isthmus.stats.constant import constant_columns
from isthmus.stats.survival.follow_up import check_follow_up
from isthmus.stats.survival.kaplan_meier import kaplan_meier, step_value

__all__ = ["Baseline", "CoxFit", "Ties", "breslow_baseline", "cox_regression", "proportional_hazards_test"]

Ties = Literal["efron", "breslow"]
_STEPS = 50
_TOLERANCE = 1e-12
_RUNAWAY = 30.0  # a coefficient per standard deviation beyond this has no finite maximum


@dataclass(frozen=True, eq=False)
class Baseline:
    """Cumulative hazard of a patient whose linear predictor is 0; a step at every time of an event."""

    time: Array
    cumulative_hazard: Array

    def event_probability(self, linear_predictor: ArrayLike, times: ArrayLike) -> Array:
        """Probability of the event by each time (T) for each patient (n): shape (n, T)."""
        hazard = step_value(self.time, self.cumulative_hazard, np.atleast_1d(times), start=0.0)
        relative = np.exp(np.clip(np.asarray(linear_predictor, dtype=np.float64), -500, 500))
        return -np.expm1(-relative[:, None] * hazard[None, :])


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted model of n patients and p columns.

    Parameters
    ----------
    terms : tuple of str
    coefficients : array, shape (p,)
    covariance : array, shape (p, p)
    loglik, null_loglik : float
        At the maximum, and with all coefficients 0.
    centre : array, shape (p,)
        Means of the columns: the linear predictor of an average patient is 0.
    baseline : Baseline
    ties : {"efron", "breslow"}
    n, n_events : int
    score : float
        Score statistic at 0.
    """

    terms: tuple[str, ...]
    coefficients: Array
    covariance: Array
    loglik: float
    null_loglik: float
    centre: Array
    baseline: Baseline
    ties: Ties
    n: int
    n_events: int
    score: float

    @property
    def standard_errors(self) -> Array:
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def linear_predictor(self, columns: ArrayLike) -> Array:
        """Log hazard ratio against the average patient, row by row."""
        values = np.asarray(columns, dtype=np.float64)
        total: Array = ((values - self.centre) * self.coefficients).sum(axis=1)
        return total

    @cached_property
    def likelihood_ratio(self) -> Comparison:
        """Test that all coefficients are 0, from the likelihood."""
        return self._global(2 * (self.loglik - self.null_loglik), "likelihood-ratio test")

    @cached_property
    def wald(self) -> Comparison:
        """The same from the coefficients and their covariance."""
        statistic = float(self.coefficients @ np.linalg.solve(self.covariance, self.coefficients))
        return self._global(statistic, "Wald test")

    @cached_property
    def score_test(self) -> Comparison:
        """The same from the slope of the likelihood at 0."""
        return self._global(self.score, "score test")

    def _global(self, statistic: float, method: str) -> Comparison:
        df = float(len(self.coefficients))
        return Comparison(statistic, float(stats.chi2.sf(statistic, df)), method, df)

    def table(self, confidence: float = 0.95) -> pd.DataFrame:
        """term, coefficient, se, z, p, hazard_ratio, lower, upper (Wald limits of the hazard ratio)."""
        se = self.standard_errors
        z = self.coefficients / se
        half = float(stats.norm.ppf(0.5 + confidence / 2)) * se
        with np.errstate(over="ignore"):
            return pd.DataFrame(
                {
                    "term": self.terms,
                    "coefficient": self.coefficients,
                    "se": se,
                    "z": z,
                    "p": 2 * stats.norm.sf(np.abs(z)),
                    "hazard_ratio": np.exp(self.coefficients),
                    "lower": np.exp(self.coefficients - half),
                    "upper": np.exp(self.coefficients + half),
                }
            )


class _Risk:
    """Sums over those at risk at every time of an event, for ties of either kind.

    One entry an event: with Efron's ties the l-th of d tied events sees the tied ones with the weight 1 - l/d.
    """

    def __init__(self, values: Array, when: Array, happened: NDArray[np.bool_], ties: Ties) -> None:
        order = np.argsort(-when, kind="stable")
        self.values, self.event = values[order], happened[order]
        late = when[order]
        self.moments, counts = np.unique(late[self.event], return_counts=True)
        self.last = np.searchsorted(-late, -self.moments, side="right") - 1  # row of the last one still at risk
        self.moment = np.searchsorted(self.moments, late[self.event])  # of each event
        self.entry = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(self.entry)) - np.repeat(np.cumsum(counts) - counts, counts)
        self.removed = place / counts[self.entry] if ties == "efron" else np.zeros(len(self.entry))
        self.counts = counts

    def tied(self, values: Array) -> Array:
        """Sum of the rows that have the event, at each moment."""
        total = np.zeros((len(self.moments), *values.shape[1:]))
        np.add.at(total, self.moment, values[self.event])
        return total

    def sums(self, values: Array) -> Array:
        """Sum of `values` (n, ...) over those at risk, one entry an event."""
        at_risk = np.cumsum(values, axis=0)[self.last]
        removed = self.removed.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(at_risk[self.entry] - removed * self.tied(values)[self.entry])

    def moments_of(self, beta: Array) -> tuple[float, Array, Array]:
        """Log likelihood; weighted mean (D, p) and covariance (D, p, p) of the columns at each of the D events."""
        eta = self.values @ beta
        top = float(eta.max(initial=0.0))
        weight = np.exp(eta - top)
        s0 = self.sums(weight)
        mean = self.sums(weight[:, None] * self.values) / s0[:, None]
        second = self.sums(weight[:, None, None] * self.values[:, :, None] * self.values[:, None, :])
        spread = second / s0[:, None, None] - mean[:, :, None] * mean[:, None, :]
        loglik = float(eta[self.event].sum() - (np.log(s0) + top).sum())
        return loglik, mean, spread


def cox_regression(
    columns: pd.DataFrame | ArrayLike, time: ArrayLike, event: ArrayLike, *, ties: Ties = "efron"
) -> CoxFit:
    """Fit a Cox model without a penalty.

    Parameters
    ----------
    columns : DataFrame or array, shape (n, p)
        Complete and numeric; names become the terms.
    time, event : arrays, shape (n,)
    ties : {"efron", "breslow"}

    Raises
    ------
    TableError
        Values are missing, a column is constant or a sum of others, there is no event, or a coefficient has no finite
        estimate (the events are separated).
    """
    values = np.asarray(columns, dtype=np.float64)
    names = [str(c) for c in columns.columns] if isinstance(columns, pd.DataFrame) else []
    when, happened = check_follow_up(time, event)
    if values.ndim != 2 or len(values) != when.size:
        raise TableError(f"Cox regression: columns of shape {values.shape} do not match {when.size} patients")
    terms = tuple(names or [f"x{j + 1}" for j in range(values.shape[1])])
    _check_columns(values, terms, happened)
    centre, spread = values.mean(axis=0), values.std(axis=0)
    risk = _Risk((values - centre) / spread, when, happened, ties)
    beta, loglik, null, score, information = _newton(risk, terms)
    covariance = np.linalg.inv(information) / np.outer(spread, spread)
    coefficients = beta / spread
    lp = ((values - centre) * coefficients).sum(axis=1)
    baseline = breslow_baseline(lp, when, happened, ties=ties)
    return CoxFit(
        terms, coefficients, covariance, loglik, null, centre, baseline, ties, when.size, int(happened.sum()), score
    )


def _check_columns(values: Array, terms: tuple[str, ...], happened: NDArray[np.bool_]) -> None:
    if not np.isfinite(values).all():
        raise TableError("Cox regression: values are missing or infinite; impute them before this step")
    if not happened.any():
        raise TableError("Cox regression: no patient has the event; nothing can be learnt")
    constant = constant_columns(values)
    if constant.any():
        named = ", ".join(term for term, bad in zip(terms, constant, strict=True) if bad)
        raise TableError(f"Cox regression: constant column(s): {named}; leave them out (step 'variance')")
    if values.shape[1]:
        standard = (values - values.mean(axis=0)) / values.std(axis=0)
        rank = int(np.linalg.matrix_rank(standard, tol=1e-8 * np.sqrt(values.size)))
        if rank < values.shape[1]:
            raise TableError(
                f"Cox regression: {values.shape[1]} columns but only {rank} independent ones among {len(values)} "
                "patients; leave out columns that are sums of others, or use 'lasso_cox'"
            )


def _newton(risk: _Risk, terms: tuple[str, ...]) -> tuple[Array, float, float, float, Array]:
    """Maximum, its log likelihood, that at 0, the score statistic at 0, and the information at the maximum."""
    beta = np.zeros(risk.values.shape[1])
    observed = risk.values[risk.event].sum(axis=0)
    loglik, mean, spread = risk.moments_of(beta)
    null, score = loglik, 0.0
    for step in range(_STEPS):
        gradient, information = observed - mean.sum(axis=0), spread.sum(axis=0)
        try:
            move = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError as exc:
            raise _separated(beta, terms) from exc
        gain = float(gradient @ move)
        if step == 0:
            score = gain
        if gain < _TOLERANCE * (1 + abs(loglik)) and step:
            return beta, loglik, null, score, information
        size = 1.0
        while True:
            found, mean, spread = risk.moments_of(beta + size * move)
            if found >= loglik - 1e-10 * (1 + abs(loglik)) or size < 1e-8:
                break
            size /= 2
        beta, loglik = beta + size * move, found
        if np.abs(beta).max(initial=0.0) > _RUNAWAY:
            raise _separated(beta, terms)
        if not len(beta):
            return beta, loglik, null, 0.0, information
    raise _separated(beta, terms)


def _separated(beta: Array, terms: tuple[str, ...]) -> TableError:
    worst = terms[int(np.argmax(np.abs(beta)))]
    return TableError(
        f"Cox regression: no finite estimate; {worst!r} orders the events (almost) perfectly, or there are too many "
        "columns for the events. Use fewer columns, or 'lasso_cox'"
    )


def breslow_baseline(
    linear_predictor: ArrayLike, time: ArrayLike, event: ArrayLike, *, ties: Ties = "breslow"
) -> Baseline:
    """Cumulative hazard at a linear predictor of 0, given everybody's linear predictor."""
    when, happened = check_follow_up(time, event)
    weight = np.exp(np.clip(np.asarray(linear_predictor, dtype=np.float64), -500, 500))
    risk = _Risk(np.zeros((when.size, 0)), when, happened, ties)
    s0 = risk.sums(weight[np.argsort(-when, kind="stable")])
    jumps = np.bincount(risk.entry, 1.0 / s0, minlength=len(risk.moments))
    return Baseline(risk.moments, np.cumsum(jumps))


def proportional_hazards_test(
    fit: CoxFit, columns: pd.DataFrame | ArrayLike, time: ArrayLike, event: ArrayLike
) -> pd.DataFrame:
    """Does an effect change over time? Score test of a product with 1 - the Kaplan-Meier estimate.

    Parameters
    ----------
    fit : CoxFit
    columns, time, event
        The patients it was fitted on.

    Returns
    -------
    DataFrame
        term (each, then GLOBAL), chisq, df, p. A small p speaks against proportional hazards.
    """
    values = np.asarray(columns, dtype=np.float64)
    when, happened = check_follow_up(time, event)
    risk = _Risk(values - fit.centre, when, happened, fit.ties)
    _, mean, spread = risk.moments_of(fit.coefficients)
    moment = kaplan_meier(when, happened)
    passed = 1.0 - moment.before(risk.moments)[risk.entry]
    passed = passed - passed.mean()
    at_moment = risk.tied(risk.values)[risk.entry] / risk.counts[risk.entry][:, None]
    slope = (passed[:, None] * (at_moment - mean)).sum(axis=0)
    i11 = spread.sum(axis=0)
    i12 = (passed[:, None, None] * spread).sum(axis=0)
    i22 = (passed[:, None, None] ** 2 * spread).sum(axis=0)
    left = i22 - i12 @ np.linalg.solve(i11, i12)
    statistics = [float(slope[j] ** 2 / left[j, j]) for j in range(len(slope))]
    statistics.append(float(slope @ np.linalg.solve(left, slope)))
    df = [1.0] * len(slope) + [float(len(slope))]
    return pd.DataFrame(
        {"term": [*fit.terms, "GLOBAL"], "chisq": statistics, "df": df, "p": stats.chi2.sf(statistics, df)}
    )
