"""The mean of what other models say, nothing learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.models.estimator import Array, Estimator
from isthmus.models.json_text import read_json
from isthmus.table.steps import Property

__all__ = ["MeanRisk"]


class MeanRisk(Estimator):
    """Risk as the mean of the risks whose log odds are the columns: late fusion in which no model weighs more than another.

    Attributes
    ----------
    width_ : int
        How many columns there are.
    """

    name = "mean_risk"
    contribution = "importance"

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset({"numeric"})

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        self.width_ = values.shape[1]

    def _risk(self, values: Array) -> Array:
        risk: Array = (0.5 * (1.0 + np.tanh(0.5 * values))).sum(axis=1) / self.width_
        return risk

    def contributions(self) -> Array:
        return np.full(self.width_, 1.0 / self.width_)

    def to_files(self) -> dict[str, bytes]:
        return {"mean_risk.json": f'{{"columns": {self.width_}}}'.encode()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        model.width_ = int(read_json(files["mean_risk.json"], "mean_risk.json")["columns"])
        return model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # it learns nothing
        return tags
