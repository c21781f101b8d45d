"""Gradient-boosted symmetric trees (CatBoost) with settings for small studies."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError, TableError
from isthmus.models.arrays import arrays_to_bytes, bytes_to_arrays
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.models.extras import optional
from isthmus.stats.shapley import TreeForm

__all__ = ["CatBoost"]

_FILE = "catboost.npz"
_NEVER = float(np.finfo(np.float64).max)


class CatBoost(Estimator):
    """Risk from a sum of symmetric trees (one question per level); kept as plain arrays and walked here.

    CatBoost (an extra) is needed to train such a model, not to apply one.

    Parameters
    ----------
    rounds : int
        Trees.
    learning_rate : float
    depth : int
    feature_share : float
        Share of the columns each level may use.
    l2 : float
    random_state : int

    Attributes
    ----------
    importance_ : array, shape (p,)
        Mean change of the prediction where a split is crossed (CatBoost's PredictionValuesChange; sums to 100).
    """

    name = "catboost"
    contribution = "importance"
    takes_weights = True

    def __init__(
        self,
        rounds: int = 150,
        learning_rate: float = 0.05,
        depth: int = 3,
        feature_share: float = 0.3,
        l2: float = 3.0,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.depth = depth
        self.feature_share = feature_share
        self.l2 = l2
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "rounds", self.rounds, least=1, whole=True)
        check_number(self.name, "learning_rate", self.learning_rate, least=1e-6, most=1.0)
        check_number(self.name, "depth", self.depth, least=1, most=10, whole=True)
        check_number(self.name, "feature_share", self.feature_share, least=1e-6, most=1.0)
        check_number(self.name, "l2", self.l2, least=0.0)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.depth), float(self.rounds))

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any, weights: Array | None = None) -> None:
        catboost = optional("catboost", self.name, "catboost")
        model = catboost.CatBoostClassifier(
            iterations=self.rounds,
            learning_rate=self.learning_rate,
            depth=self.depth,
            rsm=self.feature_share,
            l2_leaf_reg=self.l2,
            random_seed=self.random_state % 2**31,
            thread_count=1,
            allow_writing_files=False,
            verbose=False,
        )
        try:
            model.fit(values, events, sample_weight=weights)
        except catboost.CatBoostError as exc:
            raise TableError(f"estimator 'catboost' cannot learn from these columns: {exc}") from exc
        self._keep(model)
        self.importance_: Array = np.asarray(model.get_feature_importance(), dtype=np.float64)

    def _keep(self, model: Any) -> None:
        """The trees as arrays, from CatBoost's own JSON (it writes files only)."""
        with tempfile.TemporaryDirectory() as folder:
            model.save_model(f"{folder}/model.json", format="json")
            described = json.loads(Path(folder, "model.json").read_text(encoding="utf-8"))
        places = {entry["feature_index"]: entry["flat_feature_index"] for entry in _columns(described)}
        trees = described["oblivious_trees"]
        levels = max((len(tree["splits"] or []) for tree in trees), default=0)
        self.column_: Array = np.zeros((len(trees), levels))
        self.border_: Array = np.full((len(trees), levels), _NEVER)  # nothing lies above it: a level that asks nothing
        self.leaf_: Array = np.zeros((len(trees), 2**levels))
        for index, tree in enumerate(trees):
            for level, split in enumerate(tree["splits"] or []):
                self.column_[index, level] = places[split["float_feature_index"]]
                self.border_[index, level] = split["border"]
            self.leaf_[index, : len(tree["leaf_values"])] = tree["leaf_values"]
        scale, (bias,) = described["scale_and_bias"]
        self.leaf_ *= scale
        self.bias_ = float(bias)

    def log_odds(self, values: Array) -> Array:
        """Sum over the trees (n,); columns are compared in single precision, as CatBoost does."""
        narrow = values.astype(np.float32)
        total = np.zeros(len(values))
        for column, border, leaf in zip(self.column_.astype(np.intp), self.border_, self.leaf_, strict=True):
            above = narrow[:, column] > border
            total += leaf[(above << np.arange(len(column))).sum(axis=1)]
        return total + self.bias_

    def _risk(self, values: Array) -> Array:
        risk: Array = 0.5 * (1.0 + np.tanh(0.5 * self.log_odds(values)))
        return risk

    def tree_form(self) -> TreeForm:
        trees, levels = self.column_.shape
        inner, every = 2**levels - 1, 2 ** (levels + 1) - 1  # the nodes of a full tree, in the order of a heap
        number = np.arange(every)
        depth = np.floor(np.log2(number + 1)).astype(np.intp)
        # a leaf's place from the left has the first question as its highest bit; CatBoost counts it as the lowest
        bits = np.arange(2**levels)[:, None] >> np.arange(levels) & 1
        leaf = (bits << np.arange(levels)[::-1]).sum(axis=1)
        start = (np.arange(trees) * every)[:, None]
        return TreeForm(
            roots=start[:, 0].astype(np.int32),
            feature=np.hstack([self.column_[:, depth[:inner]], np.full((trees, every - inner), -1.0)])
            .ravel()
            .astype(np.int32),
            threshold=np.hstack([self.border_[:, depth[:inner]], np.zeros((trees, every - inner))]).ravel(),
            left=(start + 2 * number + 1).ravel().astype(np.int32),
            right=(start + 2 * number + 2).ravel().astype(np.int32),
            value=np.hstack([np.zeros((trees, inner)), self.leaf_[:, leaf]]).ravel(),
            unit=np.ones(len(self.importance_)),
            single=True,
            scale="log odds",
        )

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        return {
            _FILE: arrays_to_bytes(
                column=self.column_,
                border=self.border_,
                leaf=self.leaf_,
                bias=np.array([self.bias_]),
                importance=self.importance_,
            )
        }

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        arrays = bytes_to_arrays(files[_FILE], _FILE, column=2, border=2, leaf=2, bias=1, importance=1)
        model.column_, model.border_, model.leaf_ = arrays["column"], arrays["border"], arrays["leaf"]
        model.bias_, model.importance_ = float(arrays["bias"][0]), arrays["importance"]
        model.n_features_in_ = len(model.importance_)
        trees, levels = model.column_.shape
        inside = (model.column_ >= 0) & (model.column_ < model.n_features_in_)
        if model.border_.shape != (trees, levels) or model.leaf_.shape != (trees, 2**levels) or not inside.all():
            raise ModelFileError(f"{_FILE}: the trees do not fit together; the file is damaged")
        return model


def _columns(described: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = described["features_info"]["float_features"]
    return found
