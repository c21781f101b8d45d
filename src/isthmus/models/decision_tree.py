"""One shallow decision tree: a model that fits on a page."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.models.estimator import Array, check_number
from isthmus.models.trees import GrownTrees

__all__ = ["DecisionTree"]


class DecisionTree(GrownTrees):
    """Risk as the share of events in the leaf a row falls into (CART, Gini impurity).

    Parameters
    ----------
    depth : int
        Most questions asked of a row.
    min_leaf : int
        Smallest number of rows in a leaf.
    pruning : float
        Cost of a leaf in cost-complexity pruning (scikit-learn's ccp_alpha); 0: none.
    random_state : int
        Decides between splits that are equally good.
    """

    name = "decision_tree"
    takes_weights = True

    def __init__(self, depth: int = 3, min_leaf: int = 8, pruning: float = 0.0, random_state: int = 0) -> None:
        self.depth = depth
        self.min_leaf = min_leaf
        self.pruning = pruning
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "depth", self.depth, least=1, whole=True)
        check_number(self.name, "min_leaf", self.min_leaf, least=1, whole=True)
        check_number(self.name, "pruning", self.pruning, least=0.0)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.depth), -float(self.min_leaf))

    def _grow(self, values: Array, events: NDArray[np.int64], weights: Array | None) -> Any:
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(
            max_depth=self.depth,
            min_samples_leaf=self.min_leaf,
            ccp_alpha=self.pruning,
            random_state=self.random_state,
        )
        return tree.fit(values, events, sample_weight=weights)
