"""Gradient-boosted trees (LightGBM) with settings for small studies."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.models.lightgbm_text import check_text
from isthmus.stats.shapley import TreeForm
from isthmus.table.outcome import Task

__all__ = ["LightGbm"]


class LightGbm(Estimator):
    """Risk from a sum of small trees, each correcting those before it.

    Parameters
    ----------
    rounds : int
        Trees.
    learning_rate : float
    leaves : int
        Largest number of leaves of a tree.
    min_leaf : int
        Smallest number of rows in a leaf.
    feature_share : float
        Share of the columns each tree may use.
    l2 : float
    depth : int, optional
        Most questions asked of a row by one tree; by default only `leaves` limits it.
    row_share : float
        Share of the rows drawn anew every `row_every` trees.
    row_every : int
    l1 : float
    min_gain : float
        Smallest gain for which a leaf is split.
    random_state : int

    Attributes
    ----------
    importance_ : array, shape (p,)
        Total gain of the splits on a column.
    """

    name = "lightgbm"
    contribution = "importance"
    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass", "ordinal"})
    takes_weights = True

    def __init__(
        self,
        rounds: int = 150,
        learning_rate: float = 0.05,
        leaves: int = 7,
        min_leaf: int = 8,
        feature_share: float = 0.3,
        l2: float = 1.0,
        depth: int | None = None,
        row_share: float = 1.0,
        row_every: int = 1,
        l1: float = 0.0,
        min_gain: float = 0.0,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.min_leaf = min_leaf
        self.feature_share = feature_share
        self.l2 = l2
        self.depth = depth
        self.row_share = row_share
        self.row_every = row_every
        self.l1 = l1
        self.min_gain = min_gain
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "rounds", self.rounds, least=1, whole=True)
        check_number(self.name, "learning_rate", self.learning_rate, least=1e-6, most=1.0)
        check_number(self.name, "leaves", self.leaves, least=2, whole=True)
        check_number(self.name, "min_leaf", self.min_leaf, least=1, whole=True)
        check_number(self.name, "feature_share", self.feature_share, least=1e-6, most=1.0)
        check_number(self.name, "l2", self.l2, least=0.0)
        if self.depth is not None:
            check_number(self.name, "depth", self.depth, least=1, whole=True)
        check_number(self.name, "row_share", self.row_share, least=1e-6, most=1.0)
        check_number(self.name, "row_every", self.row_every, least=1, whole=True)
        check_number(self.name, "l1", self.l1, least=0.0)
        check_number(self.name, "min_gain", self.min_gain, least=0.0)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.leaves), -float(self.min_leaf), self.rounds * self.learning_rate)

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any, weights: Array | None = None) -> None:
        import lightgbm

        count = int(events.max()) + 1
        parameters = {
            **({"objective": "binary"} if count == 2 else {"objective": "multiclass", "num_class": count}),
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_leaf,
            "feature_fraction": self.feature_share,
            "lambda_l2": self.l2,
            "lambda_l1": self.l1,
            "min_gain_to_split": self.min_gain,
            "max_depth": -1 if self.depth is None else self.depth,
            "bagging_fraction": self.row_share,
            "bagging_freq": self.row_every if self.row_share < 1 else 0,
            "seed": self.random_state % 2**31,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", category=UserWarning
            )  # it says so when a tree cannot be split; that is no fault
            booster = lightgbm.train(
                parameters, lightgbm.Dataset(values, label=events, weight=weights), num_boost_round=self.rounds
            )
        self._keep(booster.model_to_string(num_iteration=-1))
        self.importance_: Array = np.asarray(self._booster.feature_importance("gain"), dtype=np.float64)

    def _keep(self, text: str) -> None:
        """Hold the model as its text: predictions come from what the text says, whether it was just trained or read
        from a file."""
        import lightgbm

        self.text_ = text
        self._booster = lightgbm.Booster(model_str=text)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_booster", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "text_" in state:
            self._keep(state["text_"])

    def _risk(self, values: Array) -> Array:
        return np.asarray(self._booster.predict(values, num_threads=1), dtype=np.float64)

    def _probabilities(self, values: Array) -> Array:
        return np.asarray(self._booster.predict(values, num_threads=1), dtype=np.float64)

    def _n_classes(self) -> int:
        return max(2, int(self._booster.num_model_per_iteration()))

    def tree_form(self) -> TreeForm:
        nodes: list[tuple[int, float, int, int, float]] = []

        def add(node: dict[str, Any]) -> int:
            place = len(nodes)
            nodes.append((-1, 0.0, -1, -1, float(node.get("leaf_value", 0.0))))
            if "split_feature" in node:
                left, right = add(node["left_child"]), add(node["right_child"])
                nodes[place] = (int(node["split_feature"]), float(node["threshold"]), left, right, 0.0)
            return place

        roots = [add(tree["tree_structure"]) for tree in self._booster.dump_model()["tree_info"]]
        feature, threshold, left, right, value = (np.array(column) for column in zip(*nodes, strict=True))
        return TreeForm(
            roots=np.array(roots, dtype=np.int32),
            feature=feature.astype(np.int32),
            threshold=threshold.astype(np.float64),
            left=left.astype(np.int32),
            right=right.astype(np.int32),
            value=value.astype(np.float64),
            unit=np.ones(len(self.importance_)),
            single=False,
            scale="log odds",
        )

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        return {"lightgbm.txt": self.text_.encode()}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        import lightgbm

        model = cls(**settings)
        try:
            text = files["lightgbm.txt"].decode("ascii")
            check_text(text)
            model._keep(text)
        except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as exc:
            raise ModelFileError(f"lightgbm.txt is not a LightGBM text model: {exc}") from exc
        model.importance_ = np.asarray(model._booster.feature_importance("gain"), dtype=np.float64)
        model.n_features_in_ = len(model.importance_)
        return model
