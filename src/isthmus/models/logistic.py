"""Logistic regression, without a penalty or with a ridge penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.models.estimator import Array, check_number
from isthmus.models.linear import LinearEstimator
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Property

__all__ = ["Logistic"]

_LARGEST = 15.0  # per sd: an odds ratio of three million, which no data but separated ones give


class Logistic(LinearEstimator):
    """Risk from a weighted sum of the columns.

    Parameters
    ----------
    C : float, optional
        Inverse strength of a ridge penalty (scikit-learn's C), on scaled columns; without it there is no penalty, as
        in the regression tables of papers, and there must be more patients than columns.

    Attributes
    ----------
    coef_ : array, shape (p,)
    intercept_ : float
    """

    name = "logistic"
    contribution = "coefficient"
    takes_weights = True

    def __init__(self, C: float | None = None) -> None:  # noqa: N803, RUF100 - scikit-learn's name
        self.C = C

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset({"numeric", "complete", "scaled"})

    def check_settings(self) -> None:
        if self.C is not None:
            check_number(self.name, "C", self.C, least=1e-10)

    def complexity(self) -> tuple[float, ...]:
        return (np.inf if self.C is None else float(self.C),)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any, weights: Array | None = None) -> None:
        from sklearn.linear_model import LogisticRegression

        if self.C is None and values.shape[1] >= values.shape[0]:
            raise TableError(
                f"logistic regression without a penalty on {values.shape[1]} columns and {values.shape[0]} rows has no "
                "single answer. Use the estimator 'lasso', give a ridge penalty (C = 1.0), or select columns first "
                "(step 'univariate' with k = 5)."
            )
        varies = ~constant_columns(values)  # a constant column would share the intercept
        self.coef_: Array = np.zeros(values.shape[1])
        self.intercept_ = float(np.log(events.mean() / (1.0 - events.mean())))
        if varies.any():
            model = LogisticRegression(C=np.inf if self.C is None else self.C, solver="lbfgs", tol=1e-8, max_iter=5000)
            model.fit(np.ascontiguousarray(values[:, varies]), events, sample_weight=weights)
            self.coef_[varies] = model.coef_[0]
            self.intercept_ = float(model.intercept_[0])
        risk = self._risk(values)
        apart = bool(risk[events == 1].min() > risk[events == 0].max())
        self._separated = self.C is None and (apart or float(np.abs(self.coef_).max()) > _LARGEST)

    def concern(self) -> str:
        if not self._separated:
            return ""
        return (
            "the columns separate the classes of the training rows, so the likelihood has no finite maximum: the "
            "coefficients are where the solver stopped and the risks are too close to 0 and 1. Give a ridge penalty "
            "(C = 1.0) or use fewer columns"
        )
