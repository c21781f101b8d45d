"""Trees as plain arrays: grown by scikit-learn, kept and walked here, so that a model file holds numbers and no objects."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError, PlanError
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.stats.constant import constant_columns

__all__ = ["FlatTrees", "check_max_features", "share_of_columns"]

_FILE = "forest.npz"
_ARRAYS = ("unit", "roots", "feature", "threshold", "left", "right", "risk", "importance")


class FlatTrees(Estimator):
    """What a tree, a forest and extremely randomised trees share: risk as the mean over trees of the risk in the leaf.

    After growing, only arrays are kept (split column, cut, daughters, risk in the leaf), and predictions are made
    from them. So a model gives the same bits before and after it was stored.

    scikit-learn takes two values closer than 1e-7 for equal, whatever their unit, so a column of small numbers (a variance of
    diffusion coefficients in mm2/s) would never be split on, in silence. Columns are therefore brought to an sd near 1 by a
    power of two, which is exact and changes no other split.

    Attributes
    ----------
    importance_ : array, shape (p,)
        Mean decrease of Gini impurity.
    unit_ : array, shape (p,)
        Powers of two by which columns are divided; cuts are in these units.
    roots_, feature_, threshold_, left_, right_, risk_ : arrays
        All trees one after the other; a leaf has feature -1.
    """

    contribution = "importance"

    @abstractmethod
    def _grow(self, values: Array, events: NDArray[np.int64]) -> Any:
        """A fitted tree or ensemble of scikit-learn."""

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        self._plant(values, events)

    def _plant(self, values: Array, events: NDArray[np.int64]) -> Any:
        """Grow and keep the arrays; gives what scikit-learn grew."""
        self.unit_ = _units(values)
        grown = self._grow(values / self.unit_, events)
        members = getattr(grown, "estimators_", [grown])
        self.roots_, self.feature_, self.threshold_, self.left_, self.right_, self.risk_ = _flatten(members)
        self.importance_: Array = grown.feature_importances_.astype(np.float64)
        return grown

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

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        held = io.BytesIO()
        np.savez_compressed(held, **{key: getattr(self, f"{key}_") for key in _ARRAYS})
        return {_FILE: held.getvalue()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        with np.load(io.BytesIO(files[_FILE]), allow_pickle=False) as arrays:
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
            raise ModelFileError(f"{_FILE}: the trees do not fit together; the file is damaged")


def check_max_features(who: str, value: Any) -> None:
    """Raise `PlanError` unless it is "sqrt", "log2" or a share of the columns."""
    if not isinstance(value, str):
        check_number(who, "max_features", value, least=1e-6, most=1.0)
    elif value not in ("sqrt", "log2"):
        raise PlanError(
            f"estimator '{who}': max_features = {value!r}; expected 'sqrt', 'log2' or a share of the columns"
        )


def share_of_columns(value: Literal["sqrt", "log2"] | float) -> Literal["sqrt", "log2"] | float:
    """As scikit-learn wants it: a whole 1 would mean one column."""
    return value if isinstance(value, str) else float(value)


def _units(values: Array) -> Array:
    """The power of two nearest to each column's sd (1 for a constant column)."""
    spread = np.where(constant_columns(values), 1.0, values.std(axis=0))
    spread[~(spread > 0)] = 1.0  # so small that its square vanishes
    return np.exp2(np.round(np.log2(spread)))


def _flatten(members: Any) -> tuple[NDArray[Any], ...]:
    """All trees one after the other in one set of arrays."""
    roots, columns, cuts, lefts, rights, risks = [], [], [], [], [], []
    start = 0
    for member in members:
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
