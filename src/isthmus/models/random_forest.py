"""Random forest: grown by scikit-learn, kept and evaluated as plain arrays."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.models.estimator import Array, check_number
from isthmus.models.trees import FlatTrees, check_max_features, share_of_columns

__all__ = ["RandomForest"]


class RandomForest(FlatTrees):
    """Risk as the mean over many trees, each grown on its own bootstrap sample.

    Parameters
    ----------
    trees : int
    min_leaf : int
        Smallest number of rows in a leaf.
    max_features : {"sqrt", "log2"} or float
        Columns tried at a split; a float is a share of them.
    random_state : int

    Attributes
    ----------
    bag_risk_ : array, shape (n,)
        Risk of each training row from the trees that did not see it (NaN where every tree did).
    """

    name = "random_forest"

    def __init__(
        self,
        trees: int = 300,
        min_leaf: int = 2,
        max_features: Literal["sqrt", "log2"] | float = "sqrt",
        random_state: int = 0,
    ) -> None:
        self.trees = trees
        self.min_leaf = min_leaf
        self.max_features = max_features
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "trees", self.trees, least=1, whole=True)
        check_number(self.name, "min_leaf", self.min_leaf, least=1, whole=True)
        check_max_features(self.name, self.max_features)

    def _grow(self, values: Array, events: NDArray[np.int64]) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=self.min_leaf,
            max_features=share_of_columns(self.max_features),
            random_state=self.random_state,
            n_jobs=1,
        )
        return forest.fit(values, events)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        forest = self._plant(values, events)
        self.bag_risk_ = self._out_of_bag(values, forest.estimators_samples_)

    def _out_of_bag(self, values: Array, samples: Any) -> Array:
        each = self.risk_[self._leaves(values)]
        unseen = np.ones(each.shape, dtype=bool)
        for tree, drawn in enumerate(samples):
            unseen[drawn, tree] = False
        count = unseen.sum(axis=1)
        total = np.where(unseen, each, 0.0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def out_of_bag_risk(self) -> Array:
        """Risk of each training row (n) from the trees that did not see it; not kept in a model file."""
        return self.bag_risk_
