"""Proportional-odds logistic regression: the usual model of ordered classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import TableError
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.models.json_text import read_json
from isthmus.stats.proportional_odds import class_probabilities, proportional_odds
from isthmus.table.outcome import Task
from isthmus.table.steps import Property

__all__ = ["ProportionalOddsLogistic"]


class ProportionalOddsLogistic(Estimator):
    """Probability of each of the ordered classes from one weighted sum of the columns and a cut between neighbours.

    Parameters
    ----------
    ridge : float
        Strength of a ridge penalty on scaled columns; 0: none, and there must be more patients than columns.

    Attributes
    ----------
    coef_ : array, shape (p,)
    cuts_ : array, shape (K - 1,)
    """

    name = "proportional_odds"
    contribution = "coefficient"
    tasks: ClassVar[frozenset[Task]] = frozenset({"ordinal"})

    def __init__(self, ridge: float = 1.0) -> None:
        self.ridge = ridge

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset({"numeric", "complete", "scaled"})

    def check_settings(self) -> None:
        check_number(self.name, "ridge", self.ridge, least=0)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        if self.ridge == 0 and values.shape[1] >= values.shape[0]:
            raise TableError(
                f"proportional odds without a penalty on {values.shape[1]} columns and {values.shape[0]} rows has no "
                "single answer. Give a ridge penalty (ridge = 1.0), or select columns first (step 'univariate' with k = 5)."
            )
        fit = proportional_odds(values, events, ridge=self.ridge)
        self.coef_: Array = fit.coefficients
        self.cuts_: Array = fit.cuts
        self._converged = fit.converged

    def concern(self) -> str:
        if self._converged:
            return ""
        return (
            "the columns separate the classes of the training rows (almost), so the proportional-odds likelihood has no "
            "finite maximum. Give a ridge penalty (ridge = 1.0) or use fewer columns"
        )

    def _probabilities(self, values: Array) -> Array:
        return class_probabilities((values * self.coef_).sum(axis=1), self.cuts_)

    def _n_classes(self) -> int:
        return len(self.cuts_) + 1

    def contributions(self) -> Array:
        return self.coef_

    def to_files(self) -> dict[str, bytes]:
        state = {"coefficients": self.coef_.tolist(), "cuts": self.cuts_.tolist()}
        return {"proportional_odds.json": json.dumps(state).encode()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        state = read_json(files["proportional_odds.json"], "proportional_odds.json")
        model = cls(**settings)
        model.coef_ = np.asarray(state["coefficients"], dtype=np.float64)
        model.cuts_ = np.asarray(state["cuts"], dtype=np.float64)
        model._converged = True
        model.n_features_in_ = len(model.coef_)
        return model
