"""Random forest: grown by scikit-learn, kept and evaluated as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError, PlanError
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.models.trees import Trees, out_of_bag, read_arrays, stored, units, unseen

__all__ = ["RandomForest"]


class RandomForest(Estimator):
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
        Risk of each training row from the trees that did not see it (NaN where every tree did).
    importance_ : array, shape (p,)
        Mean decrease of Gini impurity.
    """

    name = "random_forest"
    contribution = "importance"
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
        if isinstance(self.max_features, str):
            if self.max_features not in ("sqrt", "log2"):
                raise PlanError(
                    f"estimator 'random_forest': max_features = {self.max_features!r}; "
                    "expected 'sqrt', 'log2' or a share of the columns"
                )
        else:
            check_number(self.name, "max_features", float(self.max_features), least=1e-6, most=1.0)

    def complexity(self) -> tuple[float, ...]:
        return (-float(self.min_leaf),)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any, weights: Array | None = None) -> None:
        from sklearn.ensemble import RandomForestClassifier

        share = self.max_features if isinstance(self.max_features, str) else float(self.max_features)
        forest = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=self.min_leaf,
            max_features=share,
            random_state=self.random_state,
            n_jobs=1,
        )
        unit = units(values)
        forest.fit(values / unit, events, sample_weight=weights)
        self.trees_ = Trees.flatten(forest.estimators_, unit)
        self.importance_: Array = forest.feature_importances_.astype(np.float64)
        self.bag_risk_ = out_of_bag(self.trees_.each(values), unseen(forest.estimators_samples_, len(values)))

    def _risk(self, values: Array) -> Array:
        return self.trees_.mean(values)

    def out_of_bag_risk(self) -> Array:
        """Risk of each training row (n) from the trees that did not see it; not kept in a model file."""
        return self.bag_risk_

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        return stored(self.trees_, importance=self.importance_)

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        model.trees_, more = read_arrays(files["forest.npz"], "importance")
        model.importance_ = more["importance"]
        if len(model.importance_) != len(model.trees_.unit):
            raise ModelFileError("forest.npz: the importance does not fit the trees; the file is damaged")
        model.n_features_in_ = len(model.importance_)
        return model
