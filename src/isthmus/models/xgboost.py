"""Gradient-boosted trees (XGBoost) with settings for small studies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.models.extras import optional
from isthmus.models.json_text import read_json
from isthmus.stats.shapley import TreeForm
from isthmus.table.outcome import Task

__all__ = ["XgBoost"]

_FILE = "xgboost.json"


class XgBoost(Estimator):
    """Risk from a sum of small trees, each correcting those before it; kept as XGBoost's JSON.

    XGBoost compares and predicts in single precision: a risk has seven digits.

    Parameters
    ----------
    rounds : int
        Trees.
    learning_rate : float
    depth : int
        Most questions asked of a row by one tree.
    min_weight : float
        Smallest sum of p(1-p) in a leaf; 2 is about 8 rows at a risk of one half.
    feature_share : float
        Share of the columns each tree may use.
    l2 : float
    random_state : int

    Attributes
    ----------
    importance_ : array, shape (p,)
        Total gain of the splits on a column.
    """

    name = "xgboost"
    contribution = "importance"
    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass", "ordinal"})
    takes_weights = True

    def __init__(
        self,
        rounds: int = 150,
        learning_rate: float = 0.05,
        depth: int = 3,
        min_weight: float = 2.0,
        feature_share: float = 0.3,
        l2: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.depth = depth
        self.min_weight = min_weight
        self.feature_share = feature_share
        self.l2 = l2
        self.random_state = random_state

    def check_settings(self) -> None:
        check_number(self.name, "rounds", self.rounds, least=1, whole=True)
        check_number(self.name, "learning_rate", self.learning_rate, least=1e-6, most=1.0)
        check_number(self.name, "depth", self.depth, least=1, most=20, whole=True)
        check_number(self.name, "min_weight", self.min_weight, least=0.0)
        check_number(self.name, "feature_share", self.feature_share, least=1e-6, most=1.0)
        check_number(self.name, "l2", self.l2, least=0.0)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.depth), float(self.rounds))

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any, weights: Array | None = None) -> None:
        xgboost = optional("xgboost", self.name, "ml")
        count = int(events.max()) + 1
        parameters = {
            **({"objective": "binary:logistic"} if count == 2 else {"objective": "multi:softprob", "num_class": count}),
            "eta": self.learning_rate,
            "max_depth": self.depth,
            "min_child_weight": self.min_weight,
            "colsample_bytree": self.feature_share,
            "lambda": self.l2,
            "tree_method": "exact",
            "seed": self.random_state % 2**31,
            "nthread": 1,
            "verbosity": 0,
        }
        data = xgboost.DMatrix(values, label=events, weight=weights, nthread=1)
        booster = xgboost.train(parameters, data, num_boost_round=self.rounds)
        self._keep(bytes(booster.save_raw("json")), values.shape[1])

    def _keep(self, content: bytes, columns: int) -> None:
        """Hold the model as its JSON: predictions come from what the text says, whether it was just trained or read
        from a file."""
        xgboost = optional("xgboost", self.name, "ml")
        self.json_ = content
        self._booster = xgboost.Booster({"nthread": 1, "verbosity": 0})
        self._booster.load_model(bytearray(content))
        gains = self._booster.get_score(importance_type="total_gain")
        self.importance_: Array = np.array([gains.get(f"f{index}", 0.0) for index in range(columns)])
        self.n_features_in_ = columns

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_booster", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "json_" in state:
            self._keep(state["json_"], state["n_features_in_"])

    def _risk(self, values: Array) -> Array:
        return np.asarray(self._booster.inplace_predict(values, validate_features=False), dtype=np.float64)

    def _probabilities(self, values: Array) -> Array:
        shares = np.asarray(self._booster.inplace_predict(values, validate_features=False), dtype=np.float64)
        return shares / shares.sum(axis=1, keepdims=True)  # in single precision they add up to 1 to seven digits

    def _n_classes(self) -> int:
        return max(2, int(json.loads(self.json_)["learner"]["learner_model_param"]["num_class"]))

    def tree_form(self) -> TreeForm | None:
        if self._n_classes() > 2:  # one sum of trees a class
            return None
        trees = json.loads(self.json_)["learner"]["gradient_booster"]["model"]["trees"]
        starts = np.cumsum([0, *(len(tree["left_children"]) for tree in trees)])
        left, right, column, cut = (
            [np.asarray(tree[key]) for tree in trees]
            for key in ("left_children", "right_children", "split_indices", "split_conditions")
        )
        leaf = np.concatenate(left) < 0
        moved = [
            np.concatenate([side + start for side, start in zip(sides, starts, strict=False)])
            for sides in (left, right)
        ]
        condition = np.concatenate(cut).astype(np.float32)  # of a leaf: its value
        below = np.nextafter(
            condition, np.float32(-np.inf), dtype=np.float32
        )  # XGBoost goes left below the cut, not at it
        return TreeForm(
            roots=starts[:-1].astype(np.int32),
            feature=np.where(leaf, -1, np.concatenate(column)).astype(np.int32),
            threshold=below.astype(np.float64),
            left=moved[0].astype(np.int32),
            right=moved[1].astype(np.int32),
            value=np.where(leaf, condition, 0.0).astype(np.float64),
            unit=np.ones(len(self.importance_)),
            single=True,
            scale="log odds",
        )

    def contributions(self) -> Array:
        return self.importance_

    def to_files(self) -> dict[str, bytes]:
        return {_FILE: self.json_}

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        xgboost = optional("xgboost", cls.name, "ml")
        content = files[_FILE]
        _check_trees(content)
        try:
            booster = xgboost.Booster({"nthread": 1, "verbosity": 0})
            booster.load_model(bytearray(content))
            model._keep(content, int(booster.num_features()))
        except xgboost.core.XGBoostError as exc:
            raise ModelFileError(f"{_FILE} is not an XGBoost model: {exc}") from exc
        return model


def _check_trees(content: bytes) -> None:
    """Whether the trees can be walked: XGBoost believes every child and column in them.

    Raises
    ------
    ModelFileError
        A child outside its tree or behind its mother, a column that is not there, or a booster of another kind.
    """
    try:
        learner = read_json(content, _FILE)["learner"]
        booster = learner["gradient_booster"]
        model, columns = booster["model"], int(learner["learner_model_param"]["num_feature"])
        classes = int(learner["learner_model_param"]["num_class"])  # 0 of two
        trees = model["trees"]
        sound = (
            booster["name"] == "gbtree"
            and learner["objective"]["name"] == ("multi:softprob" if classes else "binary:logistic")
            and int(model["gbtree_model_param"]["num_trees"]) == len(trees) == len(model["tree_info"])
            and list(map(int, model["tree_info"])) == [place % max(classes, 1) for place in range(len(trees))]
            and all(_sound(tree, columns) for tree in trees)
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as exc:
        raise ModelFileError(f"{_FILE} is not an XGBoost model ({type(exc).__name__}: {exc})") from exc
    if not sound:
        raise ModelFileError(f"{_FILE}: the trees do not fit together; the file is damaged")


def _sound(tree: Mapping[str, Any], columns: int) -> bool:
    nodes = int(tree["tree_param"]["num_nodes"])
    rows = (
        "left_children",
        "right_children",
        "parents",
        "split_indices",
        "split_conditions",
        "default_left",
        "split_type",
    )
    if nodes < 1 or any(len(tree[key]) != nodes for key in rows) or any(tree["split_type"]) or tree["categories"]:
        return False
    left, right, parents, column = (np.array(tree[key], dtype=np.int64) for key in rows[:4])
    inner = left >= 0
    number = np.flatnonzero(inner)
    children = np.concatenate([left[inner], right[inner]])
    mothers = np.concatenate([number, number])
    return bool(
        np.array_equal(inner, right >= 0)
        and np.array_equal(np.sort(children), np.arange(1, nodes))
        and np.all(children > mothers)
        and np.array_equal(parents[children], mothers)
        and np.all((column >= 0) & (column < max(columns, 1)))
    )
