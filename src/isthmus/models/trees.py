"""Grown trees as plain arrays, and what their bags tell: shared by every forest of this room."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError, PlanError
from isthmus.models.arrays import read_npz
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.stats.constant import constant_columns
from isthmus.stats.shapley import TreeForm
from isthmus.table.outcome import Task

__all__ = [
    "GrownTrees",
    "Trees",
    "check_max_features",
    "out_of_bag",
    "read_arrays",
    "share_of_columns",
    "stored",
    "units",
    "unseen",
]


@dataclass(frozen=True, eq=False)
class Trees:
    """All trees of a forest, one after the other in one set of arrays.

    A model file holds these numbers and no objects, and a forest gives the same bits before and after it was stored.

    scikit-learn takes two values closer than 1e-7 for equal, whatever their unit, so a column of small numbers (a variance of
    diffusion coefficients in mm2/s) would never be split on, in silence. Columns are therefore brought to an sd near 1 by a
    power of two, which is exact and changes no other split.

    Parameters
    ----------
    unit : array, shape (p,)
        Powers of two by which columns are divided; cuts are in these units.
    roots : array of int, shape (T,)
        The first node of each tree.
    feature, threshold, left, right : arrays, shape (nodes,)
        Split column (-1 in a leaf), cut, daughters (behind their mother).
    risk : array, shape (nodes,) or (nodes, K)
        Share of the second class; of each class where there are more than two.
    """

    unit: Array
    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: Array
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    risk: Array

    @classmethod
    def flatten(cls, members: Sequence[Any], unit: Array) -> Trees:
        """From scikit-learn's fitted trees, grown on `values / unit`."""
        risks = []
        for member in members:
            counts = member.tree_.value[:, 0, :]
            share = counts / counts.sum(axis=1, keepdims=True)
            risks.append(share[:, 1] if share.shape[1] == 2 else share)
        return cls.of_leaves(members, unit, np.concatenate(risks))

    @classmethod
    def of_leaves(cls, members: Sequence[Any], unit: Array, risk: Array) -> Trees:
        """From fitted trees grown on `values / unit`, with what each node (of all trees in turn) predicts."""
        roots, columns, cuts, lefts, rights = [], [], [], [], []
        start = 0
        for member in members:
            tree = member.tree_
            leaf = tree.children_left < 0
            roots.append(start)
            columns.append(np.where(leaf, -1, tree.feature))
            cuts.append(tree.threshold)
            lefts.append(np.where(leaf, -1, tree.children_left + start))
            rights.append(np.where(leaf, -1, tree.children_right + start))
            start += tree.node_count
        return cls(
            unit=unit,
            roots=np.array(roots, dtype=np.int32),
            feature=np.concatenate(columns).astype(np.int32),
            threshold=np.concatenate(cuts).astype(np.float64),
            left=np.concatenate(lefts).astype(np.int32),
            right=np.concatenate(rights).astype(np.int32),
            risk=risk.astype(np.float64),
        )

    def __len__(self) -> int:
        return len(self.roots)

    def narrowed(self, values: Array) -> NDArray[np.float32]:
        """The values as scikit-learn compares them: columns in single, cuts in double precision."""
        return np.asarray((values / self.unit).astype(np.float32))

    def leaves(self, values: Array) -> NDArray[np.int32]:
        """The leaf of each row (n) in each tree (T), shape (n, T)."""
        narrow = self.narrowed(values)
        node = np.broadcast_to(self.roots, (len(values), len(self.roots))).copy()
        rows = np.arange(len(values))[:, None]
        while True:
            column = self.feature[node]
            if (column < 0).all():
                return node
            low = narrow[rows, np.maximum(column, 0)] <= self.threshold[node]
            node = np.where(column < 0, node, np.where(low, self.left[node], self.right[node]))

    def each(self, values: Array) -> Array:
        """The risk each tree (T) gives each row (n), shape (n, T) or, of K classes, (n, T, K)."""
        return np.asarray(self.risk[self.leaves(values)])

    def mean(self, values: Array) -> Array:
        """Mean risk of each row over the trees, shape (n,) or (n, K)."""
        # summed tree after tree, as scikit-learn does; a sum along the row would round differently
        each = self.each(values)
        total = np.zeros((len(values), *each.shape[2:]))
        for tree in range(len(self.roots)):
            total += each[:, tree]
        return total / len(self.roots)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `read_arrays` needs."""
        return {key: getattr(self, key) for key in self.__dataclass_fields__}


def units(values: Array) -> Array:
    """The power of two nearest to each column's sd (1 for a constant column)."""
    spread = np.where(constant_columns(values), 1.0, values.std(axis=0))
    spread[~(spread > 0)] = 1.0  # so small that its square vanishes
    return np.asarray(np.exp2(np.round(np.log2(spread))))


def unseen(samples: Sequence[NDArray[Any]], rows: int) -> NDArray[np.bool_]:
    """Which rows (n) each tree (T) did not grow on, shape (n, T); `samples` are the rows drawn for each tree."""
    found = np.ones((rows, len(samples)), dtype=bool)
    for tree, drawn in enumerate(samples):
        found[drawn, tree] = False
    return found


def out_of_bag(each: Array, outside: NDArray[np.bool_]) -> Array:
    """Mean risk of each row (n) over the trees that did not see it; NaN where every tree did."""
    outside = outside.reshape(*outside.shape, *[1] * (each.ndim - 2))
    count = outside.sum(axis=1)
    total = np.where(outside, each, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def stored(trees: Trees, **more: NDArray[Any]) -> dict[str, bytes]:
    """The trees, and further arrays, as a file of a model."""
    held = io.BytesIO()
    np.savez_compressed(held, **trees.arrays(), **more)  # type: ignore[arg-type]
    return {"forest.npz": held.getvalue()}


def read_arrays(content: bytes, *more: str) -> tuple[Trees, dict[str, NDArray[Any]]]:
    """The trees and the further arrays again.

    Raises
    ------
    ModelFileError
        A damaged file must not send the walk through the trees out of bounds or round in circles.
    """
    arrays = read_npz(content, "forest.npz")
    missing = [key for key in (*Trees.__dataclass_fields__, *more) if key not in arrays]
    if missing:
        raise ModelFileError(f"forest.npz: no {', '.join(missing)}; the file is damaged")
    trees = Trees(**{key: arrays[key] for key in Trees.__dataclass_fields__})
    further = {key: arrays[key] for key in more}
    for key in ("roots", "feature", "left", "right"):
        if arrays[key].dtype != np.int32:
            raise ModelFileError(f"forest.npz: {key} holds {arrays[key].dtype}, expected int32; the file is damaged")
    nodes, columns = len(trees.feature), len(trees.unit)
    inner = trees.feature >= 0
    number = np.arange(nodes)
    sound = (
        all(len(side) == nodes for side in (trees.threshold, trees.left, trees.right, trees.risk))
        and bool(np.all(trees.feature < columns))
        and bool(np.all((trees.roots >= 0) & (trees.roots < nodes)))
        and all(
            bool(np.all((side[inner] > number[inner]) & (side[inner] < nodes))) for side in (trees.left, trees.right)
        )
    )
    if not sound:
        raise ModelFileError("forest.npz: the trees do not fit together; the file is damaged")
    return trees, further


class GrownTrees(Estimator):
    """What a tree, a forest and extremely randomised trees share: risk as the mean over trees of the share of events in
    the leaf.

    Attributes
    ----------
    trees_ : Trees
    importance_ : array, shape (p,)
        Mean decrease of Gini impurity.
    """

    contribution = "importance"
    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass", "ordinal"})

    @abstractmethod
    def _grow(self, values: Array, events: NDArray[np.int64], weights: Array | None) -> Any:
        """A fitted tree or ensemble of scikit-learn."""

    def _plant(self, values: Array, events: NDArray[np.int64], weights: Array | None) -> Any:
        """Grow and keep the arrays; gives what scikit-learn grew."""
        unit = units(values)
        grown = self._grow(values / unit, events, weights)
        self.trees_ = Trees.flatten(getattr(grown, "estimators_", [grown]), unit)
        self.importance_: Array = grown.feature_importances_.astype(np.float64)
        return grown

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any, weights: Array | None = None) -> None:
        self._plant(values, events, weights)

    def _risk(self, values: Array) -> Array:
        return self.trees_.mean(values)

    def _probabilities(self, values: Array) -> Array:
        return self.trees_.mean(values)

    def _n_classes(self) -> int:
        return 2 if self.trees_.risk.ndim == 1 else self.trees_.risk.shape[1]

    def tree_form(self) -> TreeForm:
        trees = self.trees_
        return TreeForm(
            roots=trees.roots,
            feature=trees.feature,
            threshold=trees.threshold,
            left=trees.left,
            right=trees.right,
            value=trees.risk / len(trees),
            unit=trees.unit,
            single=True,
            scale="risk",
        )

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
