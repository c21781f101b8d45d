"""Leave out columns that the others say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.select._shared import check_number, standardised
from isthmus.stats.constant import constant_columns
from isthmus.table.steps import Array, Selector

__all__ = ["VifFilter"]

_DEPENDENT = 1e-8  # share of a column's variance that those before it leave; below, its VIF is above 1e8: infinite


class VifFilter(Selector):
    """Columns with a variance inflation factor of at most the threshold, each with regard to all that stay.

    First every column goes that is a combination of columns before it (with more columns than rows that is most of them,
    and which ones depends on their order: put `correlation` before). Then the column with the largest VIF goes, and so on
    (ties: the later one). A constant column has no VIF and stays.

    Parameters
    ----------
    threshold : float
        1 / (1 - R²): 10 is R² = 0.9, 5 is 0.8.
    """

    name = "vif"
    kind = "unsupervised"

    def __init__(self, threshold: float = 10.0) -> None:
        self.threshold = threshold

    def check_settings(self) -> None:
        check_number(self.name, "threshold", self.threshold, least=1)

    def complexity(self) -> tuple[float, ...]:
        return (float(self.threshold),)

    def _reasons(
        self, values: Array, names: Sequence[str], outcome: NDArray[np.int64] | None, groups: Any
    ) -> dict[str, str]:
        standard = standardised(values) / np.sqrt(len(values))
        varying = np.flatnonzero(~constant_columns(values))
        alive = _independent(standard, varying)
        kept = set(alive)
        reasons = {names[int(index)]: "a combination of columns before it" for index in varying if index not in kept}
        if len(alive) < 2:
            return reasons
        inverse = np.linalg.inv(standard[:, alive].T @ standard[:, alive])
        while len(alive) > 1:
            inflation = np.diag(inverse)
            # rounded, so that two columns that say each other tie, and the later one goes on every machine
            worst = len(alive) - 1 - int(np.argmax(np.round(inflation[::-1], 8)))
            if inflation[worst] <= self.threshold:
                break
            reasons[names[alive.pop(worst)]] = f"VIF {inflation[worst]:.3g} > {self.threshold:g}"
            column = np.delete(inverse[:, worst], worst)
            rest = np.delete(np.delete(inverse, worst, axis=0), worst, axis=1)
            inverse = rest - np.outer(column, column) / inflation[worst]
        return {name: reasons[name] for name in names if name in reasons}


def _independent(standard: Array, among: NDArray[np.intp]) -> list[int]:
    """The columns that are no combination of columns before them (columns have length 1)."""
    basis = np.empty((standard.shape[0], 0))
    found: list[int] = []
    for index in among:
        if len(found) >= len(standard) - 1:  # centred columns: there is no room for more
            break
        rest = standard[:, index]
        for _ in range(2):  # a second time, against rounding
            rest = rest - basis @ (basis.T @ rest)
        size = float(np.sqrt(rest @ rest))
        if size**2 > _DEPENDENT:
            basis = np.column_stack([basis, rest / size])
            found.append(int(index))
    return found
