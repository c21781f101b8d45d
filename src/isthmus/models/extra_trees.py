"""Extremely randomised trees: cuts drawn at random, trees grown on all rows (Geurts, Ernst, Wehenkel 2006)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.models.estimator import Array, check_number
from isthmus.models.trees import GrownTrees, check_max_features, share_of_columns

__all__ = ["ExtraTrees"]


class ExtraTrees(GrownTrees):
    """Risk as the mean over many trees whose cuts are random; smoother than a forest, and without out-of-bag rows.

    Parameters
    ----------
    trees : int
    min_leaf : int
        Smallest number of rows in a leaf.
    max_features : {"sqrt", "log2"} or float
        Columns tried at a split; a float is a share of them.
    random_state : int
    """

    name = "extra_trees"
    takes_weights = True

    def __init__(
        self,
        trees: int = 300,
        min_leaf: int = 3,
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
        from sklearn.ensemble import ExtraTreesClassifier

        forest = ExtraTreesClassifier(
            n_estimators=self.trees,
            min_samples_leaf=self.min_leaf,
            max_features=share_of_columns(self.max_features),
            random_state=self.random_state,
            n_jobs=1,
        )
        return forest.fit(values, events, sample_weight=weights)
