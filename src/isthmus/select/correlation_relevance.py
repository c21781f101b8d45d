"""Of columns that repeat each other keep the one most related to the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isthmus.select._shared import check_choice
from isthmus.select.correlation import absolute_correlation, check_correlation, first_of_each
from isthmus.stats.univariate import UnivariateTest, screen
from isthmus.table.steps import Array, Selector

__all__ = ["CorrelationRelevanceFilter"]


class CorrelationRelevanceFilter(Selector):
    """Columns of which no two are correlated with |r| above the threshold, the one most related to the outcome first.

    Columns are visited from the most to the least related (ties: the earlier one); each goes that is correlated with one
    already kept. It looks at the outcome, so it is another step than `correlation`.

    Parameters
    ----------
    threshold : float in (0, 1)
    method : {"pearson", "spearman"}
    test : str
        What relates a column to the outcome: a test of the step `univariate`.
    """

    name = "correlation_relevance"
    kind = "supervised"
    tasks: ClassVar[frozenset[str]] = frozenset({"binary", "multiclass", "ordinal"})

    def __init__(
        self,
        threshold: float = 0.9,
        method: Literal["pearson", "spearman"] = "pearson",
        test: UnivariateTest = "anova",
    ) -> None:
        self.threshold = threshold
        self.method = method
        self.test = test

    def check_settings(self) -> None:
        check_correlation(self.name, self.threshold, self.method)
        check_choice(self.name, "test", self.test, get_args(UnivariateTest))

    def complexity(self) -> tuple[float, ...]:
        return (float(self.threshold),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        assert outcome is not None  # the base class sees to it
        strength = screen(values, outcome, self.test).strength
        order = np.argsort(-np.nan_to_num(strength, posinf=np.finfo(np.float64).max), kind="stable")
        return first_of_each(absolute_correlation(values, self.method), self.threshold, names, order)
