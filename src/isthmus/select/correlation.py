"""Leave out columns that repeat what another one says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array, Selector

__all__ = ["CorrelationFilter"]


class CorrelationFilter(Selector):
    """Columns of which no two are correlated with |r| above the threshold.

    Among a correlated pair the one with the larger mean |r| to all columns goes (ties: the later one). Pairs are
    visited by column, the column with the largest mean |r| first. A constant column is correlated with nothing.

    Parameters
    ----------
    threshold : float in (0, 1)
    method : {"pearson", "spearman"}

    References
    ----------
    The rule of `findCorrelation` in R's caret (Kuhn, J Stat Softw 2008;28(5)), with the means taken once over all
    columns.
    """

    name = "correlation"
    kind = "unsupervised"

    def __init__(self, threshold: float = 0.9, method: Literal["pearson", "spearman"] = "pearson") -> None:
        self.threshold = threshold
        self.method = method

    def check_settings(self) -> None:
        if (
            isinstance(self.threshold, bool)
            or not isinstance(self.threshold, int | float)
            or not 0 < self.threshold < 1
        ):
            raise PlanError(f"step 'correlation': threshold = {self.threshold!r}; expected a number between 0 and 1")
        if self.method not in ("pearson", "spearman"):
            raise PlanError(f"step 'correlation': method = {self.method!r}; expected 'pearson' or 'spearman'")

    def complexity(self) -> tuple[float, ...]:
        return (float(self.threshold),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        related = _absolute_correlation(_ranks(values) if self.method == "spearman" else values)
        p = len(names)
        mean = (related.sum(axis=1) - 1.0) / max(p - 1, 1)
        # rounded, so that copies of a column tie and the later one goes on every machine
        order = np.lexsort((-np.arange(p), -np.round(mean, 10)))
        over = related > self.threshold
        np.fill_diagonal(over, False)
        alive = np.ones(p, dtype=bool)
        reasons: dict[str, str] = {}
        for index in order:
            partners = np.flatnonzero(over[index] & alive)
            if len(partners):
                alive[index] = False
                partner = partners[int(np.argmax(related[index, partners]))]
                reasons[names[index]] = f"|r| = {related[index, partner]:.3f} with {names[partner]}"
        return {name: reasons[name] for name in names if name in reasons}


def _absolute_correlation(values: Array) -> Array:
    centred = values - values.mean(axis=0)
    norm = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    constant = constant_columns(values) | (norm == 0)  # the squares of tiny numbers can vanish
    standard = centred / np.where(constant, 1.0, norm)
    standard[:, constant] = 0.0
    related: Array = np.minimum(np.abs(standard.T @ standard), 1.0)
    np.fill_diagonal(related, 1.0)
    return related


def _ranks(values: Array) -> Array:
    from scipy.stats import rankdata

    ranks: Array = rankdata(values, axis=0)
    return ranks
