"""Leave out columns that hold almost one value only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.select._shared import check_number
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array, Selector

__all__ = ["NearZeroVarianceFilter"]


class NearZeroVarianceFilter(Selector):
    """Columns that are not dominated by one value.

    A column goes if its commonest value is more than `frequency_ratio` times as frequent as the next one *and* its
    distinct values are at most `distinct_share` of the rows. Unlike a variance it does not depend on the unit.

    Parameters
    ----------
    frequency_ratio : float
    distinct_share : float in [0, 1]

    References
    ----------
    The rule and the defaults (95 / 5, 10 %) of `nearZeroVar` in R's caret.
    """

    name = "near_zero_variance"
    kind = "unsupervised"

    def __init__(self, frequency_ratio: float = 19.0, distinct_share: float = 0.1) -> None:
        self.frequency_ratio = frequency_ratio
        self.distinct_share = distinct_share

    def check_settings(self) -> None:
        check_number(self.name, "frequency_ratio", self.frequency_ratio, least=1)
        check_number(self.name, "distinct_share", self.distinct_share, least=0, most=1)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        constant = constant_columns(values)
        reasons = {}
        for index, (name, column) in enumerate(zip(names, values.T, strict=True)):
            if constant[index]:
                reasons[name] = "constant in the training rows"
                continue
            counts = np.unique(column, return_counts=True)[1]
            first, second = np.sort(counts)[:-3:-1]
            if len(counts) <= self.distinct_share * len(column) and first > self.frequency_ratio * second:
                reasons[name] = f"{first} of {len(column)} rows have one value, {second} the next"
        return reasons
