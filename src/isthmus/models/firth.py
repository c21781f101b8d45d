"""Firth's penalised logistic regression: finite coefficients where the columns separate the classes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError, TableError
from isthmus.models.estimator import Array
from isthmus.models.linear import LinearEstimator
from isthmus.stats.constant import constant_columns
from isthmus.stats.firth import firth_coefficients

__all__ = ["Firth"]


class Firth(LinearEstimator):
    """Risk from a weighted sum of the columns, the likelihood penalised by Jeffreys' prior.

    For few columns chosen beforehand, rare events and separated classes. A column that is constant in the training
    rows gets the weight 0; columns that are combinations of others are an error.

    Parameters
    ----------
    intercept : {"flic", "firth"}
        Corrected so that the mean risk of the training rows is their prevalence, or Firth's own, which lies nearer to
        one half.

    Attributes
    ----------
    coef_ : array, shape (p,)
    intercept_ : float
    """

    name = "firth"
    contribution = "coefficient"

    def __init__(self, intercept: Literal["flic", "firth"] = "flic") -> None:
        self.intercept = intercept

    def check_settings(self) -> None:
        if self.intercept not in ("flic", "firth"):
            raise PlanError(f"estimator 'firth': intercept = {self.intercept!r}; expected 'flic' or 'firth'")

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        varies = ~constant_columns(values)
        if varies.sum() + 1 >= len(values):
            raise TableError(
                f"Firth's regression on {int(varies.sum())} columns and {len(values)} rows has no single answer. Use the "
                "estimator 'lasso', or select columns first (step 'univariate' with k = 5)."
            )
        self.coef_: Array = np.zeros(values.shape[1])
        self.intercept_, self.coef_[varies] = firth_coefficients(values[:, varies], events, intercept=self.intercept)
