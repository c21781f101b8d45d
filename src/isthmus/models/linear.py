"""What the estimators share whose log odds are a weighted sum of the columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from isthmus.models.estimator import Array, Estimator, linear_risk
from isthmus.models.json_text import read_json

__all__ = ["LinearEstimator"]


class LinearEstimator(Estimator):
    """Risk from a weighted sum of the columns; `_fit` of a derived class sets `coef_` (p,) and `intercept_`."""

    coef_: Array
    intercept_: float
    numbers: ClassVar[tuple[str, ...]] = ()
    """Further fitted numbers that the file keeps: `penalty` is `penalty_`."""

    def _risk(self, values: Array) -> Array:
        return linear_risk(values, self.coef_, self.intercept_)

    def additive_parts(self, values: Array) -> Array:
        return values * self.coef_

    def contributions(self) -> Array:
        return self.coef_

    def to_files(self) -> dict[str, bytes]:
        state = {"coefficients": self.coef_.tolist(), "intercept": self.intercept_}
        state |= {name: getattr(self, f"{name}_") for name in self.numbers}
        return {f"{self.name}.json": json.dumps(state).encode()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        state = read_json(files[f"{cls.name}.json"], f"{cls.name}.json")
        model = cls(**settings)
        model.coef_ = np.asarray(state["coefficients"], dtype=np.float64)
        model.intercept_ = float(state["intercept"])
        for name in cls.numbers:
            setattr(model, f"{name}_", float(state[name]))
        model.n_features_in_ = len(model.coef_)
        return model
