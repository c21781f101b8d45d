"""k nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError, TableError
from isthmus.models.arrays import arrays_to_bytes, bytes_to_arrays
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.table.steps import Property

__all__ = ["NearestNeighbours"]

_FILE = "knn.npz"


class NearestNeighbours(Estimator):
    """Risk as the share of events among the nearest training rows (Euclidean distance on scaled columns).

    Rows exactly as far as the last neighbour share its places equally, so the order of the training rows decides
    nothing. A model file of this kind holds the training rows themselves: think before you send it.

    Parameters
    ----------
    neighbours : int
    weights : {"uniform", "distance"}
        Does every neighbour count the same, or by the inverse of its distance? At distance 0 only the identical
        rows count.

    Attributes
    ----------
    rows_ : array, shape (n, p)
        The training rows.
    events_ : array, shape (n,)
    importance_ : array, shape (p,)
        Share of the squared distance between training rows that comes from the column.
    """

    name = "knn"
    contribution = "importance"

    def __init__(self, neighbours: int = 11, weights: Literal["uniform", "distance"] = "uniform") -> None:
        self.neighbours = neighbours
        self.weights = weights

    @property
    def requires(self) -> frozenset[Property]:
        return frozenset({"numeric", "complete", "scaled"})

    def check_settings(self) -> None:
        check_number(self.name, "neighbours", self.neighbours, least=1, whole=True)
        if self.weights not in ("uniform", "distance"):
            raise PlanError(f"estimator 'knn': weights = {self.weights!r}; expected 'uniform' or 'distance'")

    def complexity(self) -> tuple[float, ...]:
        return (-float(self.neighbours),)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        if self.neighbours > len(values):
            raise TableError(
                f"estimator 'knn': neighbours = {self.neighbours}, but there are {len(values)} training rows. "
                "Use fewer neighbours."
            )
        self.rows_ = values.copy()
        self.events_ = events.astype(np.float64)
        spread = values.var(axis=0)
        self.importance_: Array = spread / spread.sum() if spread.sum() > 0 else spread

    def _risk(self, values: Array) -> Array:
        return np.array([self._one(row) for row in values], dtype=np.float64)

    def _one(self, row: Array) -> float:
        distance = ((self.rows_ - row) ** 2).sum(axis=1)
        last = np.partition(distance, self.neighbours - 1)[self.neighbours - 1]
        nearer, level = distance < last, distance == last
        count = nearer + level * ((self.neighbours - nearer.sum()) / level.sum())
        if self.weights == "distance":
            count = count / np.sqrt(distance) if distance.min() > 0 else count * (distance == 0)
        return float((count * self.events_).sum() / count.sum())

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        return {_FILE: arrays_to_bytes(rows=self.rows_, events=self.events_, importance=self.importance_)}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        arrays = bytes_to_arrays(files[_FILE], _FILE, rows=2, events=1, importance=1)
        model.rows_, model.events_, model.importance_ = arrays["rows"], arrays["events"], arrays["importance"]
        model.n_features_in_ = model.rows_.shape[1]
        return model
