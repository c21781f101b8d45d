"""Keep the columns that differ most between the classes, each tested alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.select._shared import check_choice, check_number, keep_top
from isthmus.stats.groups import Adjustment, adjust_p
from isthmus.stats.univariate import UnivariateTest, screen
from isthmus.table.steps import Array, Selector

__all__ = ["ScreenSelector", "UnivariateSelector"]

_LABEL = {
    "student_t": "|t|", "welch_t": "|t|", "mann_whitney": "|z|", "auc": "|AUC - 0.5|", "anova": "F", "kruskal": "H",
    "chi_square": "-log p",
}  # fmt: skip


class ScreenSelector(Selector):
    """What screens of single columns share: the k strongest stay, or those whose adjusted p is small enough."""

    k: int
    p_at_most: float | None
    adjust: Adjustment | Literal["none"]

    def check_settings(self) -> None:
        check_number(self.name, "k", self.k, least=1, whole=True)
        check_choice(self.name, "adjust", self.adjust, [*get_args(Adjustment), "none"])
        p = self.p_at_most
        if p is not None and (isinstance(p, bool) or not isinstance(p, float) or not 0 < p < 1):
            raise PlanError(
                f"step '{self.name}': p_at_most = {p!r}; expected a number between 0 and 1, or leave it out"
            )

    def complexity(self) -> tuple[float, ...]:
        return (float(self.k) if self.p_at_most is None else float(self.p_at_most),)

    def _weaker(self, names: Sequence[str], strength: Array, p_values: Array, label: str) -> dict[str, str]:
        """Why each column goes that does not stay."""
        if self.p_at_most is None:
            return keep_top(names, strength, self.k, label)
        p = p_values if self.adjust == "none" else adjust_p(p_values, self.adjust)
        keep = set(np.flatnonzero(p <= self.p_at_most).tolist()) or {int(np.argmax(strength))}
        word = "p" if self.adjust == "none" else "adjusted p"
        return {
            name: f"{word} = {p[index]:.3g} > {self.p_at_most:g}"
            for index, name in enumerate(names)
            if index not in keep
        }


class UnivariateSelector(ScreenSelector):
    """The k columns most related to the outcome, or those whose adjusted p-value is small enough.

    Parameters
    ----------
    test : {"anova", "welch_t", "student_t", "mann_whitney", "auc", "kruskal", "chi_square"}
        chi_square counts the distinct values of a column (of more than ten: its quarters). The p of auc is that of
        mann_whitney.
    k : int
        How many columns stay (all, if there are fewer). Ties: the earlier column.
    p_at_most : float, optional
        Instead of k: columns whose adjusted p is at most this. If none is, the strongest one stays, so that a fold
        without signal still has a model.
    adjust : {"benjamini-hochberg", "benjamini-yekutieli", "holm", "hommel", "bonferroni", "none"}
        Of the p-values, over all columns that reach this step.
    """

    name = "univariate"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "ordinal"})

    def __init__(
        self,
        test: UnivariateTest = "anova",
        k: int = 10,
        p_at_most: float | None = None,
        adjust: Adjustment | Literal["none"] = "benjamini-hochberg",
    ) -> None:
        self.test = test
        self.k = k
        self.p_at_most = p_at_most
        self.adjust = adjust

    def check_settings(self) -> None:
        check_choice(self.name, "test", self.test, get_args(UnivariateTest))
        super().check_settings()

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        found = screen(values, outcome, self.test)
        return self._weaker(names, found.strength, found.p, _LABEL[self.test])
