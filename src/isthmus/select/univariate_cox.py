"""Keep the columns most related to a time to an event, each tested alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from isthmus.select.univariate import ScreenSelector
from isthmus.stats.groups import Adjustment
from isthmus.stats.survival.screen import cox_screen
from isthmus.table.steps import Array

__all__ = ["UnivariateCoxSelector"]


class UnivariateCoxSelector(ScreenSelector):
    """What `univariate` is of classes, of a time to an event: the score test of a Cox model with one column.

    Parameters
    ----------
    k : int
        How many columns stay (all, if there are fewer). Ties: the earlier column.
    p_at_most : float, optional
        Instead of k: columns whose adjusted p is at most this. If none is, the strongest one stays.
    adjust : {"benjamini-hochberg", "benjamini-yekutieli", "holm", "hommel", "bonferroni", "none"}
        Of the p-values, over all columns that reach this step.
    """

    name = "univariate_cox"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"survival"})

    def __init__(
        self,
        k: int = 10,
        p_at_most: float | None = None,
        adjust: Adjustment | Literal["none"] = "benjamini-hochberg",
    ) -> None:
        self.k = k
        self.p_at_most = p_at_most
        self.adjust = adjust

    def _reasons(self, values: Array, names: Sequence[str], outcome: Any, groups: Any) -> dict[str, str]:
        found = cox_screen(values, outcome["time"], outcome["event"])
        return self._weaker(names, found.strength, found.p, "chi-squared")
