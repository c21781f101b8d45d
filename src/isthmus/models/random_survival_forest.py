"""Random survival forest: grown by scikit-survival (the extra `survival`), kept and evaluated as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import IsthmusError, ModelFileError, PlanError
from isthmus.models.estimator import Array, check_number
from isthmus.models.survival import SurvivalEstimator
from isthmus.models.trees import Trees, out_of_bag, read_arrays, stored, units, unseen
from isthmus.stats.survival.kaplan_meier import step_value
from isthmus.table.target import time_to_event

__all__ = ["RandomSurvivalForest"]


class RandomSurvivalForest(SurvivalEstimator):
    """Hazard as the mean over many survival trees (splits by the log-rank statistic), each grown on its own bootstrap sample.

    The risk score is the ensemble mortality: the mean cumulative hazard, added up over the times of events in training
    (Ishwaran et al., Ann Appl Stat 2008;2:841).

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
        Cuts, and in each leaf the cumulative hazard at `times_`.
    survival_ : array, shape (nodes, T)
        In each leaf the probability of being free of the event at `times_`.
    times_ : array, shape (T,)
        Times of the events in training.
    importance_ : array, shape (p,)
        Share of all rows passing splits that pass a split on the column.
    """

    name = "random_survival_forest"
    contribution = "importance"

    def __init__(
        self,
        trees: int = 200,
        min_leaf: int = 6,
        max_features: Literal["sqrt", "log2"] | float = "sqrt",
        random_state: int = 0,
        horizon: float | None = None,
    ) -> None:
        self.trees = trees
        self.min_leaf = min_leaf
        self.max_features = max_features
        self.random_state = random_state
        self.horizon = horizon

    def check_settings(self) -> None:
        check_number(self.name, "trees", self.trees, least=1, whole=True)
        check_number(self.name, "min_leaf", self.min_leaf, least=1, whole=True)
        if isinstance(self.max_features, str):
            if self.max_features not in ("sqrt", "log2"):
                raise PlanError(
                    f"estimator 'random_survival_forest': max_features = {self.max_features!r}; "
                    "expected 'sqrt', 'log2' or a share of the columns"
                )
        else:
            check_number(self.name, "max_features", float(self.max_features), least=1e-6, most=1.0)

    def _fit_times(self, values: Array, event: NDArray[np.bool_], time: Array) -> None:
        try:
            from sksurv.ensemble import RandomSurvivalForest as Grown
        except ImportError as exc:
            raise IsthmusError(
                "estimator 'random_survival_forest' needs scikit-survival, an optional part under the GPL: "
                'pip install "isthmus[survival]". A model already fitted is applied without it'
            ) from exc
        share = self.max_features if isinstance(self.max_features, str) else float(self.max_features)
        forest = Grown(
            n_estimators=self.trees,
            min_samples_split=2 * self.min_leaf,
            min_samples_leaf=self.min_leaf,
            max_features=share,
            random_state=self.random_state,
            n_jobs=1,
        )
        unit = units(values)
        forest.fit(values / unit, time_to_event(event, time))
        members = forest.estimators_
        inside = np.isin(forest.unique_times_, np.unique(time[event]))
        self.times_: Array = np.asarray(forest.unique_times_[inside], dtype=np.float64)
        hazards = [member.tree_.value[:, inside, 0] for member in members]
        self.survival_: Array = np.concatenate([member.tree_.value[:, inside, 1] for member in members])
        self.trees_ = Trees.of_leaves(members, unit, np.concatenate(hazards))
        self.importance_ = _use(self.trees_, np.concatenate([m.tree_.n_node_samples for m in members]), values.shape[1])
        outside = unseen(forest.estimators_samples_, len(values))
        self.bag_risk_ = out_of_bag(self.trees_.each(values).sum(axis=2), outside)

    def _score(self, values: Array) -> Array:
        # tree after tree, and the times in a fixed order: the same bits whoever comes with the row
        total = np.zeros(len(values))
        for column in self.trees_.mean(values).T:
            total += column
        return total

    def _event_probability(self, values: Array, times: Array) -> Array:
        leaves = self.trees_.leaves(values)
        total = np.zeros((len(values), len(self.times_)))
        for tree in range(leaves.shape[1]):
            total += self.survival_[leaves[:, tree]]
        free = total / leaves.shape[1]
        return np.stack([1.0 - step_value(self.times_, row, times, start=1.0) for row in free])

    def out_of_bag_risk(self) -> Array:
        """Score of each training row (n) from the trees that did not see it; not kept in a model file."""
        return self.bag_risk_

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        return stored(self.trees_, importance=self.importance_, survival=self.survival_, times=self.times_)

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        model.trees_, more = read_arrays(files["forest.npz"], "importance", "survival", "times")
        model.importance_, model.survival_, model.times_ = more["importance"], more["survival"], more["times"]
        nodes = (len(model.trees_.feature), len(model.times_))
        if (
            len(model.importance_) != len(model.trees_.unit)
            or not model.survival_.shape == nodes == model.trees_.risk.shape
        ):
            raise ModelFileError("forest.npz: hazards and importance do not fit the trees; the file is damaged")
        model.n_features_in_ = len(model.importance_)
        return model


def _use(trees: Trees, rows: NDArray[Any], columns: int) -> Array:
    """How much of the splitting is done on each column (p,), weighted by the rows that pass; adds up to 1."""
    inner = trees.feature >= 0
    total = np.bincount(trees.feature[inner], rows[inner].astype(np.float64), minlength=columns)
    return np.asarray(total / max(total.sum(), 1.0))
