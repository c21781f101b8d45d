"""Logistic regression without a penalty: odds ratios for a table, not a prediction model.

Wald and profile-likelihood intervals (roots of the deviance drop). When the predictors separate the outcome there is no
finite estimate, and the table says so instead of printing a huge odds ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array, check_outcome
from isthmus.stats.comparison import Comparison

__all__ = ["LogisticFit", "check_rank", "complete_rows", "likelihood_ratio_test", "logistic_regression", "odds"]

_NAN = float("nan")
_FURTHEST = 10.0
"""Logits."""


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """A fitted logistic regression.

    Parameters
    ----------
    table : DataFrame
        term, coefficient, se, z, p, odds_ratio, lower, upper (Wald), profile_lower, profile_upper; the first row is
        `(intercept)`. All NaN when `note` gives a reason.
    deviance, null_deviance, aic : float
    n_used, n_dropped, n_events : int
        Complete rows, rows left out because a value is missing, events among the complete rows.
    note : str
        Empty, or why there are no estimates (separation, one class).
    covariance : array, shape (k, k), optional
        Of the coefficients, in the order of `table`.
    """

    table: pd.DataFrame
    deviance: float
    null_deviance: float
    aic: float
    n_used: int
    n_dropped: int
    n_events: int
    note: str = ""
    covariance: Array | None = None


def logistic_regression(
    predictors: pd.DataFrame, y: ArrayLike, *, confidence: float = 0.95, profile: bool = True
) -> LogisticFit:
    """Odds ratios of several predictors together, with intervals and tests.

    Parameters
    ----------
    predictors : DataFrame, n rows
        Numbers only (categories as 0/1 columns, the reference left out); rows with a missing value are left out and
        counted.
    y : array of 0, 1 or NaN, shape (n,)
    confidence : float
    profile : bool
        Also compute profile-likelihood intervals.

    Raises
    ------
    TableError
        A column is constant or a combination of others, or there are not more rows than coefficients.
    """
    x, event, dropped = complete_rows(predictors, y)
    names = ["(intercept)", *map(str, predictors.columns)]
    design = np.column_stack([np.ones(len(x)), x])
    n, k = design.shape
    n_events = int(event.sum())
    if not 0 < n_events < n:
        return _nothing(names, n, dropped, n_events, f"not computed: {n_events} events among {n} complete patients")
    check_rank(design, names)
    scale = np.r_[1.0, x.std(axis=0)]
    centre = np.r_[0.0, x.mean(axis=0)]
    standard = (design - centre) / scale
    separating = _separating(standard, event)
    if separating.any():
        who = ", ".join(name for name, s in zip(names[1:], separating[1:], strict=True) if s)
        return _nothing(
            names, n, dropped, n_events, f"no finite estimates: the outcome is separated by {who or 'the predictors'}"
        )
    # work on standardised columns, then go back: beta = T gamma
    gamma, information = _fit(standard, event, np.zeros(n), np.zeros(k))
    back = np.diag(1 / scale)
    back[0, 1:] = -centre[1:] / scale[1:]
    beta = back @ gamma
    covariance = back @ np.linalg.inv(information) @ back.T
    se = np.sqrt(np.diag(covariance))
    deviance = _deviance(design @ beta, event)
    z = beta / se
    half = stats.norm.ppf(0.5 + confidence / 2) * se
    lower, upper = np.full(k, _NAN), np.full(k, _NAN)
    if profile:
        drop = float(stats.chi2.ppf(confidence, 1))
        for j in range(k):
            lower[j], upper[j] = _profile(design, event, beta, se, deviance + drop, j)
    table = pd.DataFrame(
        {
            "term": names,
            "coefficient": beta,
            "se": se,
            "z": z,
            "p": 2 * stats.norm.sf(np.abs(z)),
            "odds_ratio": odds(beta),
            "lower": odds(beta - half),
            "upper": odds(beta + half),
            "profile_lower": odds(lower),
            "profile_upper": odds(upper),
        }
    )
    null = _deviance(np.full(n, special.logit(n_events / n)), event)
    return LogisticFit(table, deviance, null, deviance + 2 * k, n, dropped, n_events, covariance=covariance)


def odds(values: Array) -> Array:
    """exp, infinite rather than an overflow warning."""
    with np.errstate(over="ignore"):
        return np.exp(values)


def complete_rows(predictors: pd.DataFrame, y: ArrayLike) -> tuple[Array, NDArray[np.bool_], int]:
    """Complete rows as numbers, their outcomes, and how many rows were left out."""
    outcome = pd.to_numeric(pd.Series(np.asarray(y)), errors="raise").to_numpy(dtype=np.float64)
    text = [str(c) for c in predictors.columns if not pd.api.types.is_numeric_dtype(predictors[c])]
    if text:
        raise TableError(f"columns {', '.join(text)} are not numeric; code categories as 0/1 columns first")
    values = predictors.to_numpy(dtype=np.float64, na_value=np.nan)
    if len(values) != outcome.size:
        raise TableError(f"{len(values)} rows of predictors but {outcome.size} outcomes")
    complete = np.isfinite(values).all(axis=1) & np.isfinite(outcome)
    return values[complete], check_outcome(outcome[complete]), int((~complete).sum())


def _nothing(names: list[str], n: int, dropped: int, events: int, note: str) -> LogisticFit:
    """A fit without estimates, and why."""
    columns = ("coefficient", "se", "z", "p", "odds_ratio", "lower", "upper", "profile_lower", "profile_upper")
    table = pd.DataFrame({"term": names} | dict.fromkeys(columns, _NAN))
    return LogisticFit(table, _NAN, _NAN, _NAN, n, dropped, events, note)


def check_rank(design: Array, names: list[str]) -> None:
    """Refuse columns that say nothing new, naming them."""
    n, k = design.shape
    if n <= k:
        raise TableError(f"{n} complete patients for {k} coefficients; use fewer predictors")
    constant = [name for name, column in zip(names[1:], design.T[1:], strict=True) if np.ptp(column) == 0]
    if constant:
        raise TableError(f"columns {', '.join(constant)} do not vary among the {n} complete patients; leave them out")
    kept: list[int] = [0]
    standard = (design - design.mean(axis=0)) / np.where(design.std(axis=0) > 0, design.std(axis=0), 1)
    standard[:, 0] = 1
    for j in range(1, k):
        if np.linalg.matrix_rank(standard[:, [*kept, j]], tol=1e-8 * np.sqrt(n)) == len(kept) + 1:
            kept.append(j)
    redundant = [names[j] for j in range(k) if j not in kept]
    if redundant:
        raise TableError(f"columns {', '.join(redundant)} are combinations of the columns before them; leave them out")


def _separating(standard: Array, event: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Terms with an infinite estimate: those of a direction that never contradicts an outcome and agrees with one.

    Linear programme of Konis (2007): maximise the agreement over directions within the unit box.
    """
    signed = np.where(event[:, None], standard, -standard)
    result = optimize.linprog(
        -signed.sum(axis=0) / len(signed),
        A_ub=-signed,
        b_ub=np.zeros(len(signed)),
        bounds=[(-1, 1)] * signed.shape[1],
        method="highs",
    )
    if not result.success or -result.fun <= 1e-7:
        return np.zeros(signed.shape[1], dtype=bool)
    return np.abs(result.x) > 1e-7


def _fit(design: Array, event: NDArray[np.bool_], offset: Array, start: Array) -> tuple[Array, Array]:
    """Maximum likelihood by Newton steps with halving; coefficients and Fisher information."""
    beta = start.copy()
    now = _deviance(offset + design @ beta, event)
    for _ in range(100):
        p = special.expit(offset + design @ beta)
        information = (design * (p * (1 - p))[:, None]).T @ design
        step = np.linalg.lstsq(information, design.T @ (event - p), rcond=None)[0]
        # where many risks are near 0 or 1 a Newton step can be huge: none moves a patient by more than so many logits
        step *= min(1.0, _FURTHEST / max(np.abs(design @ step).max(), 1e-300))
        for _ in range(30):
            after = _deviance(offset + design @ (beta + step), event)
            if after <= now + 1e-10:
                break
            step /= 2
        beta, now = beta + step, after
        if np.abs(step).max() < 1e-11 * (1 + np.abs(beta).max()):
            break
    p = special.expit(offset + design @ beta)
    return beta, (design * (p * (1 - p))[:, None]).T @ design


def _deviance(eta: Array, event: NDArray[np.bool_]) -> float:
    """-2 log-likelihood."""
    return float(2 * np.logaddexp(0, np.where(event, -eta, eta)).sum())


def _profile(
    design: Array, event: NDArray[np.bool_], beta: Array, se: Array, target: float, j: int
) -> tuple[float, float]:
    """Where the deviance, minimised over the other coefficients, reaches the target on either side of estimate j."""
    others = np.delete(design, j, axis=1)
    spread = others.std(axis=0)
    intercept = np.flatnonzero(spread == 0)
    scaled = others / np.where(spread > 0, spread, 1.0)
    scaled[:, intercept] = 1.0
    start = np.delete(beta, j) * np.where(spread > 0, spread, 1.0)
    p = special.expit(design @ beta)
    weighted = (scaled * (p * (1 - p))[:, None]).T
    # how the others follow coefficient j at the estimate: columns nearly alike must move together, or risks fly off to 0 and 1
    follow = -np.linalg.lstsq(weighted @ scaled, weighted @ design[:, j], rcond=None)[0]

    def excess(value: float) -> float:
        offset = design[:, j] * value
        nuisance, _ = _fit(scaled, event, offset, start + (value - beta[j]) * follow)
        return _deviance(offset + scaled @ nuisance, event) - target

    limits = []
    for side in (-1.0, 1.0):
        inner, width = beta[j], 1.5 * se[j]
        for _ in range(12):
            outer = inner + side * width
            if excess(outer) > 0:
                limits.append(float(optimize.brentq(excess, inner, outer, xtol=1e-11 * max(1.0, abs(beta[j])))))
                break
            inner, width = outer, 1.6 * width
        else:
            limits.append(side * np.inf)  # the likelihood is flat on this side
    return limits[0], limits[1]


def likelihood_ratio_test(full: LogisticFit, reduced: LogisticFit) -> Comparison:
    """Does the larger of two nested models, fitted on the same patients, explain more? (likelihood-ratio test)

    Raises
    ------
    TableError
        The models were fitted on different numbers of patients, or are not nested in size.
    """
    if full.n_used != reduced.n_used:
        raise TableError(
            f"the models were fitted on {full.n_used} and {reduced.n_used} patients; fit both on the complete rows of "
            "the larger one"
        )
    df = len(full.table) - len(reduced.table)
    if df < 1:
        raise TableError(f"the first model has {len(full.table)} terms, the second {len(reduced.table)}: not larger")
    drop = reduced.deviance - full.deviance
    if np.isnan(drop):
        return Comparison(_NAN, _NAN, "likelihood-ratio test; not computed: a model has no estimates")
    drop = max(0.0, drop)
    return Comparison(drop, float(stats.chi2.sf(drop, df)), "likelihood-ratio test", float(df))
