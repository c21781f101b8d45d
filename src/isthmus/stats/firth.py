"""Firth's penalised logistic regression: finite odds ratios where a predictor separates the outcome.

Firth, Biometrika 1993;80:27; Heinze and Schemper, Stat Med 2002;21:2409. The log-likelihood is penalised by half the log
determinant of the Fisher information; intervals and tests come from the profile of the penalised likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.comparison import Comparison
from isthmus.stats.logistic import check_rank, complete_rows, odds

__all__ = ["firth_coefficients", "firth_regression", "penalised_ratio_test"]


def firth_regression(
    predictors: pd.DataFrame, y: ArrayLike, *, confidence: float = 0.95, profile: bool = True
) -> pd.DataFrame:
    """Odds ratios by Firth's method, for small samples and separated outcomes.

    Parameters
    ----------
    predictors : DataFrame, n rows
        Numbers only; rows with a missing value are left out.
    y : array of 0, 1 or NaN, shape (n,)
    confidence : float
    profile : bool
        Without it p, lower and upper are Wald's, which is quick (imputed copies are pooled by their standard errors anyway).

    Returns
    -------
    DataFrame
        term, coefficient, se (from the augmented weights, as logistf), p (penalised likelihood ratio), odds_ratio, lower,
        upper (profile of the penalised likelihood).

    Raises
    ------
    TableError
        Only one class, a column that is constant or a combination of others, or too few rows.
    """
    x, event, names = _checked(predictors, y)
    design = np.column_stack([np.ones(len(x)), x])
    k = len(names)
    # The method does not depend on origin and unit of a column: slopes are profiled on standardised columns, the intercept
    # (whose meaning does depend on the origin) on scaled ones.
    centre, scale = x.mean(axis=0), x.std(axis=0)
    standard = np.column_stack([np.ones(len(x)), (x - centre) / scale])
    scaled = np.column_stack([np.ones(len(x)), x / scale])
    gamma, _ = _maximise(standard, event, np.zeros(k), np.ones(k, dtype=bool))
    beta = np.r_[gamma[0] - gamma[1:] @ (centre / scale), gamma[1:] / scale]
    p, h = _leverages(standard, gamma)
    augmented = (design * ((1 + h) * p * (1 - p))[:, None]).T @ design
    se = np.sqrt(np.diag(np.linalg.inv(augmented)))
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * se
    p_values, lower, upper = 2 * stats.norm.sf(np.abs(beta / se)), beta - half, beta + half
    for j in range(k if profile else 0):
        unit = 1.0 if j == 0 else scale[j - 1]
        used, at = (scaled, np.r_[beta[0], gamma[1:]]) if j == 0 else (standard, gamma)
        p_values[j], *limits = _profile(used, event, at, se[j] * unit, j, confidence)
        lower[j], upper[j] = (limit / unit for limit in limits)
    return pd.DataFrame(
        {
            "term": names,
            "coefficient": beta,
            "se": se,
            "p": p_values,
            "odds_ratio": odds(beta),
            "lower": odds(lower),
            "upper": odds(upper),
        }
    )


def penalised_ratio_test(predictors: pd.DataFrame, y: ArrayLike, names: Sequence[str]) -> Comparison:
    """Are the coefficients of several columns all 0? (penalised likelihood ratio; the penalty is that of the whole model, as logistf's)

    Parameters
    ----------
    predictors, y
        As for `firth_regression`.
    names : sequence of str
        The columns to leave out.
    """
    x, event, _ = _checked(predictors, y)
    spread = x.std(axis=0)
    design = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / spread])
    k = design.shape[1]
    free = np.array([True, *(str(column) not in set(names) for column in predictors.columns)])
    _, top = _maximise(design, event, np.zeros(k), np.ones(k, dtype=bool))
    _, without = _maximise(design, event, np.zeros(k), free)
    drop = max(0.0, 2 * (top - without))
    df = int((~free).sum())
    return Comparison(drop, float(stats.chi2.sf(drop, df)), "penalised likelihood ratio test", float(df))


def _checked(predictors: pd.DataFrame, y: ArrayLike) -> tuple[Array, NDArray[np.bool_], list[str]]:
    """Complete rows, events and names; refuses one class, constant and redundant columns."""
    x, event, _ = complete_rows(predictors, y)
    if not 0 < event.sum() < event.size:
        raise TableError(f"Firth's method needs both classes; there are {int(event.sum())} events among {event.size}")
    names = ["(intercept)", *map(str, predictors.columns)]
    check_rank(np.column_stack([np.ones(len(x)), x]), names)
    return x, event, names


def firth_coefficients(columns: ArrayLike, y: ArrayLike, *, intercept: str = "flic") -> tuple[float, Array]:
    """Intercept and slopes by Firth's method, for prediction.

    Firth's penalty pulls the mean risk towards one half. FLIC (Puhr and others, Stat Med 2017;36:2302) keeps the slopes and
    takes the intercept at which the mean risk is the prevalence: that of ordinary likelihood with the slopes held.

    Parameters
    ----------
    columns : array, shape (n, p)
        Complete; p + 1 < n.
    y : array of 0 and 1, shape (n,)
    intercept : {"flic", "firth"}

    Raises
    ------
    TableError
        One class only, or a column that is constant or a combination of others.
    """
    x = np.asarray(columns, dtype=np.float64)
    event = np.asarray(y, dtype=np.float64) > 0
    if not 0 < event.sum() < event.size:
        raise TableError(f"Firth's method needs both classes; there are {int(event.sum())} events among {event.size}")
    design = np.column_stack([np.ones(len(x)), x])
    check_rank(design, ["(intercept)", *(f"column {index + 1}" for index in range(x.shape[1]))])
    centre, scale = x.mean(axis=0), x.std(axis=0)
    standard = np.column_stack([np.ones(len(x)), (x - centre) / scale])
    k = standard.shape[1]
    gamma, _ = _maximise(standard, event, np.zeros(k), np.ones(k, dtype=bool))
    level = _flic(standard[:, 1:] @ gamma[1:], event) if intercept == "flic" else gamma[0]
    return float(level - gamma[1:] @ (centre / scale)), np.asarray(gamma[1:] / scale)


def _flic(offset: Array, event: NDArray[np.bool_]) -> float:
    """The intercept at which the mean risk is the share of events."""
    share = event.mean()

    def excess(level: float) -> float:
        return float(special.expit(level + offset).mean() - share)

    middle = float(special.logit(share))
    low, high = middle - float(offset.max(initial=0.0)) - 1.0, middle - float(offset.min(initial=0.0)) + 1.0
    return float(optimize.brentq(excess, low, high, xtol=1e-14, rtol=1e-14))


def _leverages(design: Array, beta: Array) -> tuple[Array, Array]:
    """Fitted probabilities and the diagonal of the weighted hat matrix."""
    p = special.expit(design @ beta)
    root = design * np.sqrt(p * (1 - p))[:, None]
    q, _ = np.linalg.qr(root)
    return p, np.asarray((q**2).sum(axis=1))


def _penalised(design: Array, event: NDArray[np.bool_], beta: Array) -> float:
    """Log-likelihood + half the log determinant of the information of all coefficients."""
    eta = design @ beta
    p = special.expit(eta)
    _, log_det = np.linalg.slogdet((design * (p * (1 - p))[:, None]).T @ design)
    return float(-np.logaddexp(0, np.where(event, -eta, eta)).sum() + log_det / 2)


def _maximise(design: Array, event: NDArray[np.bool_], start: Array, free: NDArray[np.bool_]) -> tuple[Array, float]:
    """Maximum over the free coefficients by damped Fisher scoring (Levenberg-Marquardt)."""
    beta, now, damping = start.copy(), _penalised(design, event, start), 1e-6
    part = design[:, free]
    for _ in range(500):
        p, h = _leverages(design, beta)
        score = part.T @ (event - p + h * (0.5 - p))
        information = (part * (p * (1 - p))[:, None]).T @ part
        trial = beta.copy()
        trial[free] += np.linalg.solve(information + damping * np.eye(len(score)), score)
        after = _penalised(design, event, trial)
        if after >= now - 1e-13:
            moved = float(np.abs(trial - beta).max(initial=0.0))
            beta, now, damping = trial, after, max(damping / 10, 1e-12)
            if moved < 1e-9 * (1 + float(np.abs(beta).max())):
                break
        else:
            damping *= 10
            if damping > 1e12:
                break
    return beta, now


def _profile(
    design: Array, event: NDArray[np.bool_], best: Array, step: float, j: int, confidence: float
) -> tuple[float, float, float]:
    """p-value of coefficient j being 0, and its lower and upper profile limits."""
    others = np.arange(best.size) != j
    top = _penalised(design, event, best)
    drop = float(stats.chi2.ppf(confidence, 1)) / 2
    warm = best.copy()  # the solution nearby is the best start

    def fall(value: float) -> float:
        nonlocal warm
        start = warm.copy()
        start[j] = value
        found, height = _maximise(design, event, start, others)
        if top - height < 10 * drop:  # far out the likelihood is flat and its maximiser no good start
            warm = found
        return min(top - height - drop, 100.0)

    limits = []
    for side in (-1.0, 1.0):
        limits.append(_root(fall, best[j], side * step))
        warm = best.copy()
    at_zero = fall(0.0) + drop
    return float(stats.chi2.sf(max(0.0, 2 * at_zero), 1)), limits[0], limits[1]


def _root(fall: Callable[[float], float], at: float, step: float) -> float:
    """Where the profile has fallen far enough, on the side of `step`; infinite if it never does."""
    known = {at: fall(at)}
    inner = at
    for k in range(14):
        outer = at + step * 0.5 * 1.4**k
        known[outer] = fall(outer)
        if known[outer] > 0:
            # the ends keep the values they had: near separation another start can lead to another height
            return float(
                optimize.brentq(lambda v: known[v] if v in known else fall(v), *sorted((inner, outer)), xtol=1e-10)
            )
        inner = outer
    return float(np.sign(step) * np.inf)
