"""Firth's penalised logistic regression: finite odds ratios where a predictor separates the outcome.

Firth, Biometrika 1993;80:27; Heinze and Schemper, Stat Med 2002;21:2409. The log-likelihood is penalised by half the log
determinant of the Fisher information; intervals and tests come from the profile of the penalised likelihood.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from isthmus.errors import TableError
from isthmus.stats.binary import Array
from isthmus.stats.logistic import check_rank, complete_rows

__all__ = ["firth_regression"]


def firth_regression(predictors: pd.DataFrame, y: ArrayLike, *, confidence: float = 0.95) -> pd.DataFrame:
    """Odds ratios by Firth's method, for small samples and separated outcomes.

    Parameters
    ----------
    predictors : DataFrame, n rows
        Numbers only; rows with a missing value are left out.
    y : array of 0, 1 or NaN, shape (n,)
    confidence : float

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
    x, event, _ = complete_rows(predictors, y)
    if not 0 < event.sum() < event.size:
        raise TableError(f"Firth's method needs both classes; there are {int(event.sum())} events among {event.size}")
    names = ["(intercept)", *map(str, predictors.columns)]
    design = np.column_stack([np.ones(len(x)), x])
    check_rank(design, names)
    k = len(names)
    free = np.ones(k, dtype=bool)
    beta, top = _maximise(design, event, np.zeros(k), free)
    p, h = _leverages(design, beta)
    augmented = (design * ((1 + h) * p * (1 - p))[:, None]).T @ design
    se = np.sqrt(np.diag(np.linalg.inv(augmented)))
    drop = float(stats.chi2.ppf(confidence, 1)) / 2
    p_values, lower, upper = np.empty(k), np.empty(k), np.empty(k)
    for j in range(k):

        def profile(value: float, j: int = j) -> float:
            fixed = beta.copy()
            fixed[j] = value
            return _maximise(design, event, fixed, np.arange(k) != j)[1]

        p_values[j] = stats.chi2.sf(max(0.0, 2 * (top - profile(0.0))), 1)
        lower[j], upper[j] = (_root(profile, beta[j], side * se[j], top - drop) for side in (-1, 1))
    return pd.DataFrame(
        {
            "term": names,
            "coefficient": beta,
            "se": se,
            "p": p_values,
            "odds_ratio": np.exp(beta),
            "lower": np.exp(lower),
            "upper": np.exp(upper),
        }
    )


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
    """Maximum over the free coefficients by Fisher scoring with halving."""
    beta, now = start.copy(), _penalised(design, event, start)
    for _ in range(200):
        p, h = _leverages(design, beta)
        score = design[:, free].T @ (event - p + h * (0.5 - p))
        part = design[:, free]
        step = np.zeros(beta.size)
        step[free] = np.linalg.solve((part * (p * (1 - p))[:, None]).T @ part, score) if free.any() else 0.0
        longest = float(np.abs(step).max(initial=0.0))
        step *= min(1.0, 5.0 / longest) if longest > 0 else 1.0
        for _ in range(40):
            after = _penalised(design, event, beta + step)
            if after >= now - 1e-12:
                break
            step /= 2
        beta, now = beta + step, after
        if np.abs(step).max(initial=0.0) < 1e-9 * (1 + np.abs(beta).max()):
            break
    return beta, now


def _root(profile: Callable[[float], float], at: float, step: float, target: float) -> float:
    """Where the profile falls to the target, on the side of `step`; infinite if it never does."""
    inner = at
    for k in range(1, 15):
        outer = at + step * 1.5**k
        if profile(outer) < target:
            return float(optimize.brentq(lambda b: profile(b) - target, *sorted((inner, outer)), xtol=1e-10))
        inner = outer
    return float(np.sign(step) * np.inf)
