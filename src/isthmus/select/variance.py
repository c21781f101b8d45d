"""Leave out columns that (almost) do not vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import PlanError
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array, Selector

__all__ = ["VarianceFilter"]


class VarianceFilter(Selector):
    """Columns whose variance (ddof 0) in the training rows is larger than `at_least`.

    Parameters
    ----------
    at_least : float
        0 (default) drops constant columns only. Variance has the square of the column's unit, so other values make
        sense for columns of one scale only.
    """

    name = "variance"
    kind = "unsupervised"

    def __init__(self, at_least: float = 0.0) -> None:
        self.at_least = at_least

    def check_settings(self) -> None:
        if isinstance(self.at_least, bool) or not isinstance(self.at_least, int | float) or not self.at_least >= 0:
            raise PlanError(f"step 'variance': at_least = {self.at_least!r}; expected a number of 0 or more")

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        variance = values.var(axis=0)
        constant = constant_columns(values)
        return {
            name: "constant in the training rows"
            if constant[index]
            else f"variance {variance[index]:.3g} <= {self.at_least:g}"
            for index, name in enumerate(names)
            if constant[index] or variance[index] <= self.at_least
        }
