"""Odds ratios for a table, finite also where a predictor separates the outcome."""

from __future__ import annotations

import pandas as pd
from numpy.typing import ArrayLike

from isthmus.stats.firth import firth_regression
from isthmus.stats.logistic import logistic_regression

__all__ = ["odds_ratios"]


def odds_ratios(predictors: pd.DataFrame, y: ArrayLike, *, confidence: float = 0.95) -> pd.DataFrame:
    """Odds ratios of several predictors together: maximum likelihood, or Firth's method where that has no finite answer.

    Parameters
    ----------
    predictors : DataFrame, n rows
        Numbers only; rows with a missing value are left out.
    y : array of 0, 1 or NaN, shape (n,)
    confidence : float

    Returns
    -------
    DataFrame
        term, coefficient, se, z, p, odds_ratio, lower, upper, profile_lower, profile_upper, method, n, note. By maximum
        likelihood `lower` and `upper` are Wald limits and p is Wald's; by Firth's method there is no z, both pairs of limits
        are those of the penalised profile, p is the penalised likelihood ratio's, and `note` names what separates. With one
        class all numbers are NaN and `note` says why.

    Raises
    ------
    TableError
        A column is constant or a combination of others, or there are not more rows than coefficients.
    """
    fit = logistic_regression(predictors, y, confidence=confidence)
    if not fit.note or not 0 < fit.n_events < fit.n_used:
        return fit.table.assign(method="maximum likelihood, Wald", n=fit.n_used, note=fit.note)
    table = firth_regression(predictors, y, confidence=confidence)
    table = table.assign(z=float("nan"), profile_lower=table["lower"], profile_upper=table["upper"])
    note = f"{fit.note}; estimated by Firth's penalised likelihood, profile limits"
    return table[list(fit.table.columns)].assign(method="Firth, penalised profile", n=fit.n_used, note=note)
