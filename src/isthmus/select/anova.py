"""Keep the columns whose means differ most between the classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array, Selector

__all__ = ["AnovaSelector", "anova_f"]


class AnovaSelector(Selector):
    """The columns with the largest one-way analysis-of-variance F, or those below a false discovery rate.

    Parameters
    ----------
    k : int
        How many columns stay (all, if there are fewer). Ties: the earlier column.
    fdr : float, optional
        Instead of k: columns whose Benjamini-Hochberg adjusted p is at most this. If none is, the one with the
        largest F stays, so that a fold without signal still has a model.
    """

    name = "anova"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "ordinal"})

    def __init__(self, k: int = 10, fdr: float | None = None) -> None:
        self.k = k
        self.fdr = fdr

    def check_settings(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 1:
            raise PlanError(f"step 'anova': k = {self.k!r}; expected a whole number of 1 or more")
        if self.fdr is not None and (
            isinstance(self.fdr, bool) or not isinstance(self.fdr, float) or not 0 < self.fdr < 1
        ):
            raise PlanError(f"step 'anova': fdr = {self.fdr!r}; expected a number between 0 and 1, or leave it out")

    def complexity(self) -> tuple[float, ...]:
        return (float(self.k) if self.fdr is None else float(self.fdr),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        statistic, p = anova_f(values, outcome)
        order = np.argsort(-statistic, kind="stable")
        if self.fdr is None:
            keep = set(order[: self.k].tolist())
            return {
                name: f"F = {statistic[index]:.3g}, not among the {self.k} largest"
                for index, name in enumerate(names)
                if index not in keep
            }
        from scipy.stats import false_discovery_control

        adjusted = false_discovery_control(p)
        keep = set(np.flatnonzero(adjusted <= self.fdr).tolist()) or {int(order[0])}
        return {
            name: f"adjusted p = {adjusted[index]:.3g} > {self.fdr:g}"
            for index, name in enumerate(names)
            if index not in keep
        }


def anova_f(values: Array, outcome: NDArray[np.int64]) -> tuple[Array, Array]:
    """F and p of each column (p,) between the classes; a constant column has F = 0 and p = 1."""
    from scipy.stats import f

    classes = np.unique(outcome)
    grand = values.mean(axis=0)
    between = np.zeros(values.shape[1])
    within = np.zeros(values.shape[1])
    for label in classes:
        part = values[outcome == label]
        centre = part.mean(axis=0)
        between += len(part) * (centre - grand) ** 2
        within += ((part - centre) ** 2).sum(axis=0)
    df_between, df_within = len(classes) - 1, len(values) - len(classes)
    constant = constant_columns(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (between / df_between) / (within / df_within)
    statistic = np.where(constant, 0.0, statistic)
    return statistic, np.where(constant, 1.0, f.sf(statistic, df_between, df_within))
