"""Keep the columns most related to a time to an event, each tested alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from isthmus.errors import PlanError
from isthmus.select._shared import check_choice, check_number, keep_top
from isthmus.stats.groups import Adjustment, adjust_p
from isthmus.stats.survival.screen import cox_screen
from isthmus.table.steps import Array, Selector

__all__ = ["UnivariateCoxSelector"]


class UnivariateCoxSelector(Selector):
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

    def _reasons(self, values: Array, names: Sequence[str], outcome: Any, groups: Any) -> dict[str, str]:
        found = cox_screen(values, outcome["time"], outcome["event"])
        if self.p_at_most is None:
            return keep_top(names, found.strength, self.k, "chi-squared")
        p = found.p if self.adjust == "none" else adjust_p(found.p, self.adjust)
        keep = set(np.flatnonzero(p <= self.p_at_most).tolist()) or {int(np.argmax(found.strength))}
        word = "p" if self.adjust == "none" else "adjusted p"
        return {
            name: f"{word} = {p[index]:.3g} > {self.p_at_most:g}"
            for index, name in enumerate(names)
            if index not in keep
        }
