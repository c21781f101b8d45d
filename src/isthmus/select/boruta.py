"""Keep every column that helps a forest more than shuffled columns do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.select._shared import check_choice, check_number
from isthmus.stats.groups import adjust_p
from isthmus.stats.seeds import child_seed
from isthmus.table.steps import Array, Selector

__all__ = ["BorutaSelector"]


class BorutaSelector(Selector):
    """All relevant columns (not the smallest sufficient set): those whose importance beats the best shadow column's.

    Each round grows a random forest on the columns not yet rejected and on a shuffled copy (shadow) of each; a column
    whose importance exceeds the largest of a shadow has a hit. Hits are compared with coin tosses (two one-sided binomial
    tests, adjusted over all columns): significantly many confirm a column, significantly few reject it.

    Parameters
    ----------
    rounds : int
        At most this many; what is undecided then stays only with `keep_undecided`. With p columns and Bonferroni's
        adjustment nothing can be decided before round log2(p / level).
    trees : int
    depth : int
        Largest depth of a tree.
    level : float
    adjust : {"bonferroni", "benjamini-hochberg"}
    keep_undecided : bool
    random_state : int

    Attributes
    ----------
    hits_ : array, shape (p,)
        If no column is confirmed, the one with most hits stays, so that a fold without signal still has a model.

    References
    ----------
    Kursa and Rudnicki, J Stat Softw 2010;36(11).
    """

    name = "boruta"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "ordinal"})
    learned = ("hits_",)

    def __init__(
        self,
        rounds: int = 30,
        trees: int = 100,
        depth: int = 5,
        level: float = 0.05,
        adjust: Literal["bonferroni", "benjamini-hochberg"] = "bonferroni",
        keep_undecided: bool = False,
        random_state: int = 0,
    ) -> None:
        self.rounds = rounds
        self.trees = trees
        self.depth = depth
        self.level = level
        self.adjust = adjust
        self.keep_undecided = keep_undecided
        self.random_state = random_state

    def check_settings(self) -> None:
        for key in ("rounds", "trees", "depth"):
            check_number(self.name, key, getattr(self, key), least=1, whole=True)
        check_number(self.name, "level", self.level, least=1e-12, most=0.5)
        check_choice(self.name, "adjust", self.adjust, ("bonferroni", "benjamini-hochberg"))
        if not isinstance(self.keep_undecided, bool):
            raise PlanError(f"step 'boruta': keep_undecided = {self.keep_undecided!r}; expected true or false")

    def complexity(self) -> tuple[float, ...]:
        return (float(self.level),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        from scipy.stats import binom

        assert outcome is not None  # the base class sees to it
        p = len(names)
        hits, played = np.zeros(p), np.zeros(p, dtype=np.int64)
        confirmed, rejected = np.zeros(p, dtype=bool), np.zeros(p, dtype=bool)
        for turn in range(self.rounds):
            open_ = ~(confirmed | rejected)
            if not open_.any():
                break
            inside = np.flatnonzero(~rejected)
            real, shadow = self._importances(values[:, inside], outcome, child_seed(self.random_state, "round", turn))
            hits[inside] += real > shadow.max()
            played[inside] += 1
            many = adjust_p(binom.sf(hits - 1, np.maximum(played, 1), 0.5), self.adjust)
            few = adjust_p(binom.cdf(hits, np.maximum(played, 1), 0.5), self.adjust)
            confirmed |= open_ & (many <= self.level)
            rejected |= open_ & ~confirmed & (few <= self.level)
        self.hits_: Array = hits
        keep = ~rejected if self.keep_undecided else confirmed
        if not keep.any():
            keep[int(np.argmax(hits))] = True
        return {
            name: f"{'rejected' if rejected[index] else 'undecided'}: better than every shadow in "
            f"{int(hits[index])} of {played[index]} rounds"
            for index, name in enumerate(names)
            if not keep[index]
        }

    def _importances(self, values: Array, outcome: NDArray[np.int64], seed: int) -> tuple[Array, Array]:
        """Importance of each column and of its shadow, in one forest."""
        from sklearn.ensemble import RandomForestClassifier

        rng = np.random.default_rng(seed)
        shadows = rng.permuted(values, axis=0)
        forest = RandomForestClassifier(n_estimators=self.trees, max_depth=self.depth, n_jobs=1, random_state=seed).fit(
            np.hstack([values, shadows]), outcome
        )
        importance = np.asarray(forest.feature_importances_, dtype=np.float64)
        return importance[: values.shape[1]], importance[values.shape[1] :]
