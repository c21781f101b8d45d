"""Gaussian naive Bayes: every column a normal distribution in each class, all independent of one another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.models.json_text import read_json

__all__ = ["NaiveBayes"]


class NaiveBayes(Estimator):
    """Risk by Bayes' rule from the mean and variance of each column in each class.

    The columns of a radiomics table are far from independent, so the risks are too sure of themselves: filter columns
    that repeat one another first, and look at the calibration.

    Parameters
    ----------
    smoothing : float
        Share of the largest variance of any column that is added to all variances (scikit-learn's var_smoothing).

    Attributes
    ----------
    mean_, variance_ : arrays, shape (2, p)
    prior_ : float
        Share of events among the training rows.
    importance_ : array, shape (p,)
        Mean absolute log likelihood ratio of the column over the training rows.
    """

    name = "naive_bayes"
    contribution = "importance"

    def __init__(self, smoothing: float = 1e-9) -> None:
        self.smoothing = smoothing

    def check_settings(self) -> None:
        check_number(self.name, "smoothing", self.smoothing, least=1e-15)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        extra = self.smoothing * float(values.var(axis=0).max(initial=0.0))
        extra = extra if extra > 0 else 1.0  # every column is constant: any variance gives the prior
        classes = [values[events == label] for label in (0, 1)]
        self.mean_: Array = np.stack([rows.mean(axis=0) for rows in classes])
        self.variance_: Array = np.stack([rows.var(axis=0) for rows in classes]) + extra
        self.prior_ = float(events.mean())
        self.importance_: Array = np.abs(self._evidence(values)).mean(axis=0)

    def _evidence(self, values: Array) -> Array:
        """Log likelihood ratio of each value (n, p)."""
        (mean0, mean1), (var0, var1) = self.mean_, self.variance_
        evidence: Array = 0.5 * (np.log(var0 / var1) + (values - mean0) ** 2 / var0 - (values - mean1) ** 2 / var1)
        return evidence

    def _risk(self, values: Array) -> Array:
        eta = self._evidence(values).sum(axis=1) + np.log(self.prior_ / (1.0 - self.prior_))
        risk: Array = 0.5 * (1.0 + np.tanh(0.5 * eta))
        return risk

    def additive_parts(self, values: Array) -> Array:
        return self._evidence(values)

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        state = {
            "mean": self.mean_.tolist(),
            "variance": self.variance_.tolist(),
            "prior": self.prior_,
            "importance": self.importance_.tolist(),
        }
        return {"naive_bayes.json": json.dumps(state).encode()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        state = read_json(files["naive_bayes.json"], "naive_bayes.json")
        model = cls(**settings)
        model.mean_ = np.asarray(state["mean"], dtype=np.float64)
        model.variance_ = np.asarray(state["variance"], dtype=np.float64)
        model.prior_ = float(state["prior"])
        model.importance_ = np.asarray(state["importance"], dtype=np.float64)
        model.n_features_in_ = len(model.importance_)
        return model
