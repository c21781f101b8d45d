"""Multinomial logistic regression: three classes or more, without a penalty or with a ridge penalty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.models.estimator import Array, Estimator, check_number, softmax
from isthmus.models.json_text import read_json
from isthmus.table.outcome import Task
from isthmus.table.steps import Property

__all__ = ["Multinomial"]


class Multinomial(Estimator):
    """Probability of each class from one weighted sum of the columns a class.

    Parameters
    ----------
    C : float, optional
        Inverse strength of a ridge penalty (scikit-learn's C), on scaled columns. None: no penalty; there must then be
        more patients than columns.

    Attributes
    ----------
    coef_ : array, shape (K, p)
    intercept_ : array, shape (K,)
    """

    name = "multinomial"
    contribution = "coefficient"
    tasks: ClassVar[frozenset[Task]] = frozenset({"multiclass", "ordinal"})

    def __init__(self, C: float | None = 0.1) -> None:  # noqa: N803, RUF100 - scikit-learn's name
        self.C = C

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset({"numeric", "complete", "scaled"})

    def check_settings(self) -> None:
        if self.C is not None:
            check_number(self.name, "C", self.C, least=1e-10)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        from sklearn.linear_model import LogisticRegression

        if self.C is None and values.shape[1] >= values.shape[0]:
            raise TableError(
                f"multinomial regression without a penalty on {values.shape[1]} columns and {values.shape[0]} rows has "
                "no single answer. Give a ridge penalty (C = 0.1), or select columns first (step 'univariate' with k = 5)."
            )
        model = LogisticRegression(C=np.inf if self.C is None else self.C, solver="lbfgs", tol=1e-8, max_iter=5000)
        model.fit(values, events)
        coefficients, intercepts = np.asarray(model.coef_), np.asarray(model.intercept_)
        if len(coefficients) == 1:  # of two classes scikit-learn gives the second's
            coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
            intercepts = np.concatenate([[0.0], intercepts])
        self.coef_: Array = coefficients.copy()
        self.intercept_: Array = intercepts.copy()

    def _probabilities(self, values: Array) -> Array:
        # summed row by row: a matrix product would round by how many rows come together
        scores = [
            (values * weights).sum(axis=1) + start for weights, start in zip(self.coef_, self.intercept_, strict=True)
        ]
        return softmax(np.column_stack(scores))

    def _n_classes(self) -> int:
        return len(self.coef_)

    def contributions(self) -> Array:
        """The coefficient of the class on which a column weighs most."""
        heaviest = np.argmax(np.abs(self.coef_), axis=0)
        return np.asarray(self.coef_[heaviest, np.arange(self.coef_.shape[1])])

    def to_files(self) -> dict[str, bytes]:
        state = {"coefficients": self.coef_.tolist(), "intercepts": self.intercept_.tolist()}
        return {"multinomial.json": json.dumps(state).encode()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        state = read_json(files["multinomial.json"], "multinomial.json")
        model = cls(**settings)
        model.coef_ = np.asarray(state["coefficients"], dtype=np.float64)
        model.intercept_ = np.asarray(state["intercepts"], dtype=np.float64)
        model.n_features_in_ = model.coef_.shape[1]
        return model
