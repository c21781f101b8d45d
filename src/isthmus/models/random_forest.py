"""Random forest: grown by scikit-learn, kept and evaluated as plain arrays."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.models.estimator import Array, check_number
from isthmus.models.trees import GrownTrees, check_max_features, out_of_bag, share_of_columns, unseen

__all__ = ["RandomForest"]


class RandomForest(GrownTrees):
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
    trees_ : Trees
        The forest as arrays.
    bag_risk_ : array, shape (n,)
        Risk of each training row from the trees that did not see it (NaN where every tree did); (n, K) of K classes.
    importance_ : array, shape (p,)
        Mean decrease of Gini impurity.
    """

    name = "random_forest"
    takes_weights = True

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

    def complexity(self) -> tuple[float, ...]:
        return (-float(self.min_leaf),)

    def _grow(self, values: Array, events: NDArray[np.int64], weights: Array | None) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        forest = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=self.min_leaf,
            max_features=share_of_columns(self.max_features),
            random_state=self.random_state,
            n_jobs=1,
        )
        return forest.fit(values, events, sample_weight=weights)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any, weights: Array | None = None) -> None:
        forest = self._plant(values, events, weights)
        self.bag_risk_ = out_of_bag(self.trees_.each(values), unseen(forest.estimators_samples_, len(values)))

    def out_of_bag_risk(self) -> Array:
        """Risk of each training row (n) from the trees that did not see it; not kept in a model file."""
        return self.bag_risk_
