"""Random forest: grown by scikit-learn, kept and evaluated as plain arrays."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError, PlanError
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.stats.constant import constant_columns

__all__ = ["RandomForest"]

_ARRAYS = ("unit", "roots", "feature", "threshold", "left", "right", "risk", "importance")


class RandomForest(Estimator):
    """Risk as the mean over many trees, each grown on its own bootstrap sample.

    After growing, only arrays are kept (split column, cut, daughters, risk in the leaf), and predictions are made
    from them. So a model file holds numbers and no objects, and a model gives the same bits before and after it was
    stored.

    scikit-learn takes two values closer than 1e-7 for equal, whatever their unit, so a column of small numbers (a variance of
    diffusion coefficients in mm2/s) would never be split on, in silence. Columns are therefore brought to an sd near 1 by a
    power of two, which is exact and changes no other split.

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
    importance_ : array, shape (p,)
        Mean decrease of Gini impurity.
    unit_ : array, shape (p,)
        Powers of two by which columns are divided; cuts are in these units.
    """

    name = "random_forest"
    contribution = "importance"

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

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        from sklearn.ensemble import RandomForestClassifier

        share = self.max_features if isinstance(self.max_features, str) else float(self.max_features)
        forest = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=self.min_leaf,
            max_features=share,
            random_state=self.random_state,
            n_jobs=1,
        )
        self.unit_ = _units(values)
        forest.fit(values / self.unit_, events)
        self.roots_, self.feature_, self.threshold_, self.left_, self.right_, self.risk_ = _flatten(forest)
        self.importance_: Array = forest.feature_importances_.astype(np.float64)
        self.bag_risk_ = self._out_of_bag(values, forest.estimators_samples_)

    def _leaves(self, values: Array) -> NDArray[np.int32]:
        """The leaf of each row (n) in each tree (T), shape (n, T)."""
        narrow = (values / self.unit_).astype(
            np.float32
        )  # as scikit-learn compares: columns in single, cuts in double precision
        node = np.broadcast_to(self.roots_, (len(values), len(self.roots_))).copy()
        rows = np.arange(len(values))[:, None]
        while True:
            column = self.feature_[node]
            if (column < 0).all():
                return node
            low = narrow[rows, np.maximum(column, 0)] <= self.threshold_[node]
            node = np.where(column < 0, node, np.where(low, self.left_[node], self.right_[node]))

    def _risk(self, values: Array) -> Array:
        # summed tree after tree, as scikit-learn does; a sum along the row would round differently
        risk = np.zeros(len(values))
        for tree in self.risk_[self._leaves(values)].T:
            risk += tree
        return risk / len(self.roots_)

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

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        held = io.BytesIO()
        np.savez_compressed(held, **{key: getattr(self, f"{key}_") for key in _ARRAYS})
        return {"forest.npz": held.getvalue()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        with np.load(io.BytesIO(files["forest.npz"]), allow_pickle=False) as arrays:
            for key in _ARRAYS:
                setattr(model, f"{key}_", arrays[key])
        model._check_arrays()
        model.n_features_in_ = len(model.importance_)
        return model

    def _check_arrays(self) -> None:
        """A damaged file must not send the walk through the trees out of bounds or round in circles."""
        nodes = len(self.feature_)
        inner = self.feature_ >= 0
        number = np.arange(nodes)
        sound = (
            all(len(getattr(self, f"{key}_")) == nodes for key in ("threshold", "left", "right", "risk"))
            and len(self.unit_) == len(self.importance_)
            and bool(np.all(self.feature_ < len(self.importance_)))
            and bool(np.all((self.roots_ >= 0) & (self.roots_ < nodes)))
            and all(
                bool(np.all((side[inner] > number[inner]) & (side[inner] < nodes)))
                for side in (self.left_, self.right_)
            )
        )
        if not sound:
            raise ModelFileError("forest.npz: the trees do not fit together; the file is damaged")


def _units(values: Array) -> Array:
    """The power of two nearest to each column's sd (1 for a constant column)."""
    spread = np.where(constant_columns(values), 1.0, values.std(axis=0))
    spread[~(spread > 0)] = 1.0  # so small that its square vanishes
    return np.exp2(np.round(np.log2(spread)))


def _flatten(forest: Any) -> tuple[NDArray[Any], ...]:
    """All trees one after the other in one set of arrays."""
    roots, columns, cuts, lefts, rights, risks = [], [], [], [], [], []
    start = 0
    for member in forest.estimators_:
        tree = member.tree_
        leaf = tree.children_left < 0
        roots.append(start)
        columns.append(np.where(leaf, -1, tree.feature))
        cuts.append(tree.threshold)
        lefts.append(np.where(leaf, -1, tree.children_left + start))
        rights.append(np.where(leaf, -1, tree.children_right + start))
        share = tree.value[:, 0, :]
        risks.append(share[:, 1] / share.sum(axis=1))
        start += tree.node_count
    return (
        np.array(roots, dtype=np.int32),
        np.concatenate(columns).astype(np.int32),
        np.concatenate(cuts).astype(np.float64),
        np.concatenate(lefts).astype(np.int32),
        np.concatenate(rights).astype(np.int32),
        np.concatenate(risks).astype(np.float64),
    )
