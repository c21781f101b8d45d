"""The random forest quantile classifier: a forest for unequal classes, judged at the share of events it grew on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import ModelFileError, PlanError
from isthmus.models.estimator import Array, Estimator, check_number
from isthmus.models.trees import Trees, out_of_bag, read_arrays, stored, units, unseen
from isthmus.models.vimp import Block, Noising, group_codes, loss, vimp
from isthmus.stats.seeds import child_seed

__all__ = ["NODESIZES", "QuantileForest"]

NODESIZES = (1, 2, 3, 5, 8, 10, 15, 20)
"""The smallest leaves out-of-bag tuning tries."""


class QuantileForest(Estimator):
    """A random forest whose decision is risk >= the share of events among its training rows.

    By Bayes' rule that compares densities instead of posteriors, so the rarer class is found without resampling: it maximises
    sensitivity + specificity (O'Brien and Ishwaran, Pattern Recognit 2019;90:232). The number of columns tried at a split and the
    smallest leaf are chosen on the out-of-bag rows of the training part, splits by Gini impurity.

    Parameters
    ----------
    trees : int
    mtry : int or {"tune", "sqrt"}
        Columns tried at a split. "tune" tries sqrt(p) / 2, sqrt(p), 2 sqrt(p) and p / 3, rounded up.
    nodesize : int or "tune"
        Smallest number of rows in a leaf. "tune" tries `NODESIZES`.
    tune_by : {"g_mean", "error"}
        What tuning makes smallest, out of bag: 1 - G-mean at the share of events, or the share of wrong decisions at 0.5.
    tuning_trees : int
        Trees of each forest that is tried.
    balanced : bool
        Grow each tree on as many rows of the one class as of the other, as many as the rarer has (Chen, Liaw and Breiman 2004).
        Its risks are those of a balanced world, so it decides at 0.5 and never at the share of events.
    importance : {"vimp", "impurity"}
        What `contributions` says: the rise of the out-of-bag error 1 - G-mean when a column is noised, or the decrease of impurity.
    noising : {"permute", "random", "anti"}
    block : int or "all"
        Trees over which the error of an importance is taken: 1 (Breiman-Cutler) ... "all" (Ishwaran-Kogalur).
    groups : dict or "family", optional
        Name -> columns that are noised together, for `group_contributions`. In a study "family" stands for the families of the
        profile's features, and each clinical column.
    random_state : int

    Attributes
    ----------
    trees_ : Trees
    prevalence_ : float
        Share of events among the rows it grew on.
    mtry_, nodesize_ : int
        What was used.
    trials_ : list of dict
        Every combination tried, with its out-of-bag score.
    """

    name = "quantile_forest"
    contribution = "importance"

    def __init__(
        self,
        trees: int = 3000,
        mtry: int | Literal["tune", "sqrt"] = "tune",
        nodesize: int | Literal["tune"] = "tune",
        tune_by: Literal["g_mean", "error"] = "g_mean",
        tuning_trees: int = 100,
        balanced: bool = False,
        importance: Literal["vimp", "impurity"] = "vimp",
        noising: Noising = "permute",
        block: Block = 10,
        groups: dict[str, list[str]] | Literal["family"] | None = None,
        random_state: int = 0,
    ) -> None:
        self.trees = trees
        self.mtry = mtry
        self.nodesize = nodesize
        self.tune_by = tune_by
        self.tuning_trees = tuning_trees
        self.balanced = balanced
        self.importance = importance
        self.noising = noising
        self.block = block
        self.groups = groups
        self.random_state = random_state

    # ------------------------------------------------------------------ settings

    def check_settings(self) -> None:
        for key in ("trees", "tuning_trees"):
            check_number(self.name, key, getattr(self, key), least=1, whole=True)
        for key, words in (("mtry", ("tune", "sqrt")), ("nodesize", ("tune",)), ("block", ("all",))):
            value = getattr(self, key)
            if not isinstance(value, str):
                check_number(self.name, key, value, least=1, whole=True)
            else:
                _one_of(self.name, key, value, words, or_number=True)
        _one_of(self.name, "tune_by", self.tune_by, ("g_mean", "error"))
        _one_of(self.name, "importance", self.importance, ("vimp", "impurity"))
        _one_of(self.name, "noising", self.noising, ("permute", "random", "anti"))
        if isinstance(self.groups, str):
            _one_of(self.name, "groups", self.groups, ("family",))
        elif self.groups is not None:
            members = [column for columns in self.groups.values() for column in columns]
            twice = sorted({column for column in members if members.count(column) > 1})
            if twice:
                raise PlanError(f"estimator '{self.name}': groups: {twice[0]!r} is in two groups; expected in one")

    @property
    def threshold_rule(self) -> str | float:
        return 0.5 if self.balanced else "prevalence"

    def check_threshold(self, rule: Any) -> None:
        if self.balanced and rule == "prevalence":
            raise PlanError(
                f"estimator '{self.name}': balanced = true with threshold = 'prevalence': the trees grew on as many rows of each class, "
                "so nearly everybody would be called positive. Leave the threshold out (0.5), or use balanced = false"
            )

    # ------------------------------------------------------------------ learning

    def _fit(self, values: Array, events: NDArray[np.int64], groups: Any) -> None:
        self.prevalence_ = float(events.mean())
        self._unit = units(values)
        self.trials_: list[dict[str, Any]] = []
        self.mtry_, self.nodesize_ = self._tune(values, events)
        forest, samples = self._grow(values, events, self.mtry_, self.nodesize_, self.trees)
        self.trees_ = Trees.flatten(forest, self._unit)
        outside = unseen(samples, len(values))
        self.bag_risk_ = out_of_bag(self.trees_.each(values), outside)
        self._training = (values, events, outside)
        self.__dict__.pop("importance_", None)  # of an earlier fit
        if self.importance == "impurity":
            self.importance_: Array = _impurity(forest, values.shape[1])

    def _grow(
        self, values: Array, events: NDArray[np.int64], mtry: int, nodesize: int, trees: int
    ) -> tuple[Sequence[Any], Sequence[NDArray[Any]]]:
        """Grown trees, and the rows drawn for each."""
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.tree import DecisionTreeClassifier

        settings = {"min_samples_leaf": nodesize, "max_features": mtry}
        if not self.balanced:
            forest = RandomForestClassifier(trees, random_state=self.random_state, n_jobs=1, **settings)
            forest.fit(values / self._unit, events)
            return forest.estimators_, forest.estimators_samples_
        rng = np.random.default_rng(self.random_state)
        scaled = (values / self._unit).astype(np.float32)
        classes = [np.flatnonzero(events == label) for label in (0, 1)]
        fewest = min(map(len, classes))
        members, samples = [], []
        for _ in range(trees):
            drawn = np.concatenate([rng.choice(rows, fewest) for rows in classes])
            tree = DecisionTreeClassifier(random_state=int(rng.integers(2**31)), **settings)
            members.append(tree.fit(scaled[drawn], events[drawn]))
            samples.append(drawn)
        return members, samples

    # ------------------------------------------------------------------ out-of-bag tuning

    def _tune(self, values: Array, events: NDArray[np.int64]) -> tuple[int, int]:
        """The combination with the smallest out-of-bag loss; of equals the first."""
        columns = values.shape[1]
        sizes = _mtries(columns) if self.mtry == "tune" else [self._mtry(columns)]
        leaves = [size for size in NODESIZES if 2 * size <= len(values)] or [1]
        leaves = leaves if self.nodesize == "tune" else [int(self.nodesize)]
        if len(sizes) * len(leaves) == 1:
            return sizes[0], leaves[0]
        best, chosen = np.inf, (sizes[0], leaves[0])
        for mtry in sizes:
            for nodesize in leaves:
                grown, samples = self._grow(values, events, mtry, nodesize, self.tuning_trees)
                each = Trees.flatten(grown, self._unit).each(values)
                score = self._score(out_of_bag(each, unseen(samples, len(values))), events)
                self.trials_.append(
                    {
                        "settings": {"mtry": mtry, "nodesize": nodesize},
                        "measure": "out-of-bag 1 - G-mean" if self.tune_by == "g_mean" else "out-of-bag error",
                        "score": score,
                    }
                )
                if score < best:
                    best, chosen = score, (mtry, nodesize)
        return chosen

    def _mtry(self, columns: int) -> int:
        return math.ceil(math.sqrt(columns)) if self.mtry == "sqrt" else min(int(self.mtry), columns)

    def _score(self, risk: Array, events: NDArray[np.int64]) -> float:
        if self.tune_by == "g_mean":
            return float(loss(risk, events, 0.5 if self.balanced else self.prevalence_))
        known = ~np.isnan(risk)
        return float(np.mean((risk[known] >= 0.5) != events[known])) if known.any() else 1.0

    def tuned(self) -> dict[str, Any]:
        """What the fit chose itself, inside its rows."""
        return {"mtry": self.mtry_, "nodesize": self.nodesize_} if self.trials_ else {}

    def trials(self) -> list[dict[str, Any]]:
        return self.trials_

    # ------------------------------------------------------------------ using it

    def _risk(self, values: Array) -> Array:
        return self.trees_.mean(values)

    def out_of_bag_risk(self) -> Array:
        """Risk of each training row (n) from the trees that did not see it; not kept in a model file."""
        return self.bag_risk_

    def concern(self) -> str:
        return (
            "the balanced forest's probabilities are those of equally frequent classes; read them as a score, not as a risk"
            if self.balanced
            else ""
        )

    def contributions(self) -> Array:
        """The importance of each column (p,); a VIMP is computed when it is first asked for, from the rows out of bag."""
        if not hasattr(self, "importance_"):
            self.importance_ = self._vimp(None)
        return self.importance_

    def group_contributions(self, block: Block | None = None) -> dict[str, float]:
        """VIMP of each group of columns, noised together; empty without `groups`, and for a model read from a file.

        `block` stands in for the setting: "all" is the importance of Ishwaran and Kogalur.
        """
        if not isinstance(self.groups, Mapping) or not self.groups or not hasattr(self, "_training"):
            return {}
        columns = [str(name) for name in getattr(self, "feature_names_in_", [])]
        names, codes = group_codes(self.groups, columns)
        if not names:
            return {}
        return dict(zip(names, map(float, self._vimp(codes, block)), strict=True))

    def _vimp(self, codes: NDArray[np.int64] | None, block: Block | None = None) -> Array:
        values, events, outside = self._training
        return vimp(
            self.trees_, values, events, outside, prevalence=0.5 if self.balanced else self.prevalence_, groups=codes,
            noising=self.noising, block=self.block if block is None else block, seed=child_seed(self.random_state, "vimp"),
        )  # fmt: skip

    # ------------------------------------------------------------------ storing it

    def to_files(self) -> dict[str, bytes]:
        found = np.array([self.prevalence_, self.mtry_, self.nodesize_], dtype=np.float64)
        return stored(self.trees_, importance=self.contributions(), found=found)

    @classmethod
    def from_files(cls, settings: Mapping[str, Any], files: Mapping[str, bytes]) -> Self:
        model = cls(**settings)
        model.trees_, more = read_arrays(files["forest.npz"], "importance", "found")
        model.importance_ = more["importance"]
        if len(model.importance_) != len(model.trees_.unit) or more["found"].shape != (3,):
            raise ModelFileError("forest.npz: the importance does not fit the trees; the file is damaged")
        model.prevalence_ = float(more["found"][0])
        model.mtry_, model.nodesize_ = (int(value) for value in more["found"][1:])
        model.trials_ = []
        model.n_features_in_ = len(model.importance_)
        return model


def _mtries(columns: int) -> list[int]:
    """Columns tried at a split, in the order in which they are tried."""
    root = math.sqrt(columns)
    found = [math.ceil(math.ceil(root) / 2), math.ceil(root), 2 * math.ceil(root), math.ceil(columns / 3)]
    return sorted({min(max(size, 1), columns) for size in found})


def _impurity(members: Sequence[Any], columns: int) -> Array:
    """Mean decrease of Gini impurity, a share of the whole; 0 everywhere where no tree has a split."""
    each = [member.tree_.compute_feature_importances() for member in members if member.tree_.node_count > 1]
    if not each:
        return np.zeros(columns)
    mean = np.mean(each, axis=0)
    return np.asarray(mean / mean.sum(), dtype=np.float64)


def _one_of(who: str, key: str, value: Any, words: tuple[str, ...], *, or_number: bool = False) -> None:
    if value not in words:
        known = ", ".join(map(repr, words)) + (" or a whole number" if or_number else "")
        raise PlanError(f"estimator '{who}': {key} = {value!r}; expected {known}")
