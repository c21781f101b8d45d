"""Leave out columns that repeat what another one says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.select._shared import check_choice
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array, Selector

__all__ = ["CorrelationFilter", "absolute_correlation", "check_correlation", "first_of_each"]


class CorrelationFilter(Selector):
    """Columns of which no two are correlated with |r| above the threshold. A constant column is correlated with nothing.

    Parameters
    ----------
    threshold : float in (0, 1)
    method : {"pearson", "spearman"}
    rule : {"drop_mean", "keep_first"}
        Which of a correlated pair goes. drop_mean: the one with the larger mean |r| to all columns (ties: the later one);
        pairs are visited by column, the column with the largest mean |r| first. keep_first: the later one. To keep the one
        more related to the outcome is another step, `correlation_relevance`, since that looks at the outcome.

    References
    ----------
    drop_mean is the rule of `findCorrelation` in R's caret (Kuhn, J Stat Softw 2008;28(5)), with the means taken once over
    all columns.
    """

    name = "correlation"
    kind = "unsupervised"

    def __init__(
        self,
        threshold: float = 0.9,
        method: Literal["pearson", "spearman"] = "pearson",
        rule: Literal["drop_mean", "keep_first"] = "drop_mean",
    ) -> None:
        self.threshold = threshold
        self.method = method
        self.rule = rule

    def check_settings(self) -> None:
        check_correlation(self.name, self.threshold, self.method)
        if str(self.rule) == "keep_relevant":
            raise PlanError(
                f"step '{self.name}': rule = 'keep_relevant' looks at the outcome: it is the step 'correlation_relevance'"
            )
        check_choice(self.name, "rule", self.rule, ("drop_mean", "keep_first"))

    def complexity(self) -> tuple[float, ...]:
        return (float(self.threshold),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        related = absolute_correlation(values, self.method)
        p = len(names)
        if self.rule == "keep_first":
            return first_of_each(related, self.threshold, names, np.arange(p))
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


def check_correlation(step: str, threshold: Any, method: Any) -> None:
    """Raise `PlanError` where the settings of a correlation filter cannot be used."""
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 1:
        raise PlanError(f"step '{step}': threshold = {threshold!r}; expected a number between 0 and 1")
    check_choice(step, "method", method, ("pearson", "spearman"))


def first_of_each(related: Array, threshold: float, names: Sequence[str], order: NDArray[np.intp]) -> dict[str, str]:
    """Why each column goes that is correlated above the threshold with one that comes before it in `order` and stays."""
    kept = np.zeros(len(names), dtype=bool)
    reasons: dict[str, str] = {}
    for index in order:
        partners = np.flatnonzero((related[index] > threshold) & kept)
        if len(partners):
            partner = partners[int(np.argmax(related[index, partners]))]
            reasons[names[index]] = f"|r| = {related[index, partner]:.3f} with {names[partner]}"
        else:
            kept[index] = True
    return {name: reasons[name] for name in names if name in reasons}


def absolute_correlation(values: Array, method: str = "pearson") -> Array:
    """|r| of every two columns: shape (p, p), 1 on the diagonal, 0 with a constant column."""
    if method == "spearman":
        from scipy.stats import rankdata

        values = rankdata(values, axis=0)
    centred = values - values.mean(axis=0)
    norm = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    constant = constant_columns(values) | (norm == 0)  # the squares of tiny numbers can vanish
    standard = centred / np.where(constant, 1.0, norm)
    standard[:, constant] = 0.0
    related: Array = np.minimum(np.abs(standard.T @ standard), 1.0)
    np.fill_diagonal(related, 1.0)
    return related
